"""Invented text of every kind, from a brief and a key.

Rule of this file: one composer per kind; a composer decides the shape and lets a voice fill it. Nothing here depends on
anything but its arguments, so the same brief and key give the same text.
"""

from collections.abc import Callable
from random import Random

import msgspec

from corpusmill.simulate.brief import Brief
from corpusmill.simulate.chance import derive
from corpusmill.simulate.findings import NONE_FOUND, findings, named_in
from corpusmill.simulate.grammar import Grammar, Voice, read_rules
from corpusmill.simulate.judging import score, verdict
from corpusmill.simulate.kinds import Kind
from corpusmill.simulate.objects import invent_value, schema_of_keys
from corpusmill.simulate.plots import plot
from corpusmill.simulate.scripts import script

_PROSE = Grammar(read_rules("words.txt", "prose.txt"), ())
_NOTE = Grammar(read_rules("note.txt"), ("patient", "he", "his"))

_NOTE_SECTIONS = (
    ("CHIEF COMPLAINT", "complaint", 1),
    ("HISTORY OF PRESENT ILLNESS", "history", 330),
    ("MEDICATIONS", "drug", 60),
    ("ALLERGIES", "allergies", 1),
    ("VITAL SIGNS", "vitals", 1),
    ("PHYSICAL EXAMINATION", "examination", 150),
    ("ASSESSMENT", "assessment", 70),
    ("PLAN", "plan", 110),
)
"""Heading, symbol and length in characters at the default length of text."""
_ENDING_SHARE = 0.25
"""How often a speaker takes leave who was told how."""
_INTRODUCTION = "Here is what I found in the note:"
_PHRASE_CHARS = 75
"""A text that should be no longer is a phrase."""
DUPLICATES_POOL = 16
"""How many different texts of each kind the duplicates are taken from."""


def invent(brief: Brief, key: int, chars: int) -> str:
    """A text of the kind the brief names; `chars` is the mean length of a plot, other kinds keep their proportion."""
    if brief.chars is not None and brief.chars <= _PHRASE_CHARS and brief.kind in (Kind.PROSE, Kind.PLOT):
        return _topical(brief, Random(key)).sentence("phrase_value")
    return _COMPOSERS[brief.kind](brief, Random(key), chars)


def refusal(key: int) -> str:
    """A polite refusal."""
    return Voice(_PROSE, {}, Random(key).random).word("refusal")


def pooled(brief: Brief, seed_key: int, key: int, chars: int) -> str:
    """One of a few texts of the brief's kind, whatever its values: what makes exact duplicates."""
    slot = derive(key, "slot") % DUPLICATES_POOL
    return invent(msgspec.structs.replace(brief, values={}), derive(seed_key, "pool", slot), chars)


def reworded(text: str, key: int) -> str:
    """The text with one to three in a hundred of its words exchanged, at least one: what makes near duplicates."""
    random = Random(key)
    voice = Voice(_PROSE, {}, random.random)
    words = text.split(" ")
    places = [place for place, word in enumerate(words) if word.isalpha()]
    wanted = max(1, round(len(words) * random.uniform(0.01, 0.03)))
    for place in random.sample(places, min(wanted, len(places))):
        words[place] = voice.word("swap")
    return " ".join(words)


def _topical(brief: Brief, random: Random) -> Voice:
    """A voice that speaks about what the prompt is about; without a topic each sentence has its own."""
    topic = brief.values.get("topic") or brief.values.get("place")
    return Voice(_PROSE, {"topic": topic} if topic else {}, random.random)


def _prose(brief: Brief, random: Random, chars: int) -> str:
    voice = _topical(brief, random)
    wanted = chars * random.uniform(0.35, 0.75) if brief.chars is None else brief.chars * random.uniform(0.85, 1.05)
    sentences = voice.sentences("prose", wanted)
    paragraph = 3 + int(random.random() * 4)
    return "\n\n".join(" ".join(sentences[at : at + paragraph]) for at in range(0, len(sentences), paragraph))


def _list(brief: Brief, random: Random, _chars: int) -> str:
    if brief.sought:
        told = findings(brief.source, brief.sought, random, brief.care)
        if told and brief.care.sloppy and random.random() < brief.care.sloppy:
            return "\n".join([_INTRODUCTION, *(f"{at}. {finding.text}" for at, finding in enumerate(told, 1))])
        return "\n".join(f"- {finding.text}" for finding in told) or NONE_FOUND
    voice = _topical(brief, random)
    count = brief.items or 4 + int(random.random() * 7)
    symbol = "phrase_value" if brief.commas else "question" if brief.questions else "item"
    items: list[str] = []
    while len(items) < count:
        items += voice.sentences(symbol, 1_000)
    if brief.commas:
        return ", ".join(dict.fromkeys(items[:count]))
    marks = ("- " if brief.bulleted else f"{number}. " for number in range(1, count + 1))
    return "\n".join(f"{mark}{item}" for mark, item in zip(marks, items, strict=False))


def _dialogue(brief: Brief, random: Random, chars: int) -> str:
    voice = _topical(brief, random)
    asks = voice.sentences("asks", chars * 0.25)
    answers = voice.sentences("answers", chars * 0.25)
    first, second = brief.speakers
    turns = (f"{first}: {ask}\n{second}: {answer}" for ask, answer in zip(asks, answers, strict=False))
    return "\n".join(turns)


def _note(_brief: Brief, random: Random, chars: int) -> str:
    he, his, person = (("She", "her", "woman"), ("He", "his", "man"))[int(random.random() * 2)]
    patient = f"a {20 + int(random.random() * 70)}-year-old {person}"
    voice = Voice(_NOTE, {"patient": patient, "he": he, "his": his}, random.random)
    scale = chars / 2_500 * random.uniform(0.7, 1.3)
    sections = (
        (heading, voice.sentences(symbol, max(1.0, length * scale))) for heading, symbol, length in _NOTE_SECTIONS
    )
    return "\n\n".join(
        f"{heading}: {'; '.join(s) if heading == 'MEDICATIONS' else ' '.join(s)}" for heading, s in sections
    )


def _turn(brief: Brief, random: Random, _chars: int) -> str:
    if brief.ending and random.random() < _ENDING_SHARE:
        return brief.ending
    voice = _topical(brief, random)
    return f"{voice.sentence('answers')} {voice.sentence('asks')}"


def _yes_no(brief: Brief, random: Random, _chars: int) -> str:
    if brief.sought:
        return "Yes" if named_in(brief.source, brief.sought) else "No"
    return "Yes" if random.random() < 0.5 else "No"


def _number(brief: Brief, random: Random, _chars: int) -> str:
    number = random.randint(brief.low, brief.high)
    if not brief.label:
        return str(number)
    return f"{_topical(brief, random).sentence('prose')}\n{brief.label}: {number}"


def _verdict(brief: Brief, random: Random, _chars: int) -> str:
    case, reason = brief.case, "The faults of each were counted."
    if case is None or len(case.answers) == 1:
        told: dict[str, object] = {"reason": reason, "score": score(case, brief.low, brief.high) if case else brief.low}
    else:
        told = {"reason": reason, "verdict": verdict(case, random, brief.bias)}
    return msgspec.json.encode(told).decode()


def _json(brief: Brief, random: Random, _chars: int) -> str:
    value = invent_value(brief.schema or schema_of_keys(brief.keys), _topical(brief, random))
    return msgspec.json.encode(value).decode()


_COMPOSERS: dict[Kind, Callable[[Brief, Random, int], str]] = {
    Kind.PLOT: plot,
    Kind.PROSE: _prose,
    Kind.LIST: _list,
    Kind.DIALOGUE: _dialogue,
    Kind.NOTE: _note,
    Kind.YES_NO: _yes_no,
    Kind.NUMBER: _number,
    Kind.JSON: _json,
    Kind.TURN: _turn,
    Kind.SCRIPT: script,
    Kind.VERDICT: _verdict,
}
