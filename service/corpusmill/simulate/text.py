"""Invented text of every kind, from a brief and a key.

Rule of this file: one composer per kind; a composer decides the shape and lets a voice fill it. Nothing here depends on
anything but its arguments, so the same brief and key give the same text.
"""

from collections.abc import Callable, Mapping
from random import Random

import msgspec

from corpusmill.simulate.brief import Brief, Kind
from corpusmill.simulate.chance import derive
from corpusmill.simulate.grammar import Grammar, Voice, read_rules, with_article
from corpusmill.simulate.objects import invent_value, schema_of_keys

_PLOT_BOUND = ("hero", "hero_full", "rival", "ally", "she", "her", "them", "place", "period", "genre", "tone", "film")
_PLOT = Grammar(read_rules("words.txt", "plot.txt"), (*_PLOT_BOUND, "a_genre", "a_tone"))
_PROSE = Grammar(read_rules("words.txt", "prose.txt"), ())
_NOTE = Grammar(read_rules("note.txt"), ("patient", "he", "his"))

_BEATS = (
    ("opening", 0.05),
    ("hero_lines", 0.17),
    ("incident", 0.28),
    ("complication", 0.45),
    ("tone_lines", 0.51),
    ("flavour", 0.57),
    ("turn", 0.67),
    ("low", 0.79),
    ("climax", 0.91),
    ("ending", 1.0),
)
"""The beats of a plot, and the share of the whole that is told when each is over."""
_FLAVOURS = {
    "romance": ("romance", "romantic", "comedy", "love"),
    "crime": ("crime", "mystery", "noir", "detective", "thriller", "heist"),
    "action": ("action", "adventure", "western", "war", "spy"),
    "fantasy": ("fantasy", "fairy", "myth", "magic"),
    "science": ("science", "sci-fi", "space", "cyber", "dystop"),
    "horror": ("horror", "ghost", "gothic", "vampire", "zombie"),
}
"""The symbol of a genre's own sentences, and the words in a genre's name that call for them."""
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
_SHORT_SHARE = 0.03
"""Share of plots that break off early, as a model's do; in real runs those are what a length filter is for."""
DUPLICATES_POOL = 16
"""How many different texts of each kind the duplicates are taken from."""


def invent(brief: Brief, key: int, chars: int) -> str:
    """A text of the kind the brief names; `chars` is the mean length of a plot, other kinds keep their proportion."""
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


def _plot(brief: Brief, random: Random, chars: int) -> str:
    voice = Voice(_PLOT, _cast(brief.values, random), random.random)
    wanted = _plot_chars(random, chars)
    flavour = _flavour(brief.values.get("genre", ""))
    paragraphs = [voice.sentence("title")] if random.random() < 0.15 else []
    told = 0
    for beat, share in _BEATS:
        if told < wanted * share:
            sentences = voice.sentences(flavour if beat == "flavour" else beat, wanted * share - told)
            paragraphs.append(" ".join(sentences))
            told += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs)


def _plot_chars(random: Random, mean_chars: int) -> float:
    """Normal around the mean, cut at 0.6 and 1.5 of it, but for the few that break off early."""
    if random.random() < _SHORT_SHARE:
        return mean_chars * random.uniform(0.12, 0.34)
    return mean_chars * min(1.48, max(0.6, random.gauss(1.0, 0.18)))


def _cast(values: Mapping[str, str], random: Random) -> dict[str, str]:
    """Who plays, and where: from the prompt where it says so."""
    voice = Voice(_PLOT, {}, random.random)
    female = random.random() < 0.5
    hero, rival, ally = random.sample(_FIRST_NAMES[female], 1) + random.sample(_OTHER_NAMES[female], 2)
    genre = values.get("genre") or voice.word("any_genre")
    tone = values.get("tone") or voice.word("any_tone")
    return {
        "hero": hero,
        "hero_full": f"{hero} {voice.word('surname')}",
        "rival": rival,
        "ally": ally,
        "she": "she" if female else "he",
        "her": "her" if female else "his",
        "them": "her" if female else "him",
        "place": values.get("place") or voice.word("any_place"),
        "period": values.get("period") or voice.word("any_period"),
        "genre": genre,
        "tone": tone,
        "film": values.get("film", "film"),
        "a_genre": with_article(genre),
        "a_tone": with_article(tone),
    }


_HE, _SHE = ([form for form, _ in _PLOT.rules[symbol]] for symbol in ("he_name", "she_name"))
_FIRST_NAMES = {True: _SHE, False: _HE}
_OTHER_NAMES = {True: _HE + _SHE[::2], False: _SHE + _HE[::2]}


def _flavour(genre: str) -> str:
    lowered = genre.lower()
    found = (flavour for flavour, words in _FLAVOURS.items() if any(word in lowered for word in words))
    return next(found, "drama")


def _topical(brief: Brief, random: Random) -> Voice:
    """A voice that speaks about what the prompt is about; without a topic each sentence has its own."""
    topic = brief.values.get("topic") or brief.values.get("place")
    return Voice(_PROSE, {"topic": topic} if topic else {}, random.random)


def _prose(brief: Brief, random: Random, chars: int) -> str:
    voice = _topical(brief, random)
    sentences = voice.sentences("prose", chars * random.uniform(0.35, 0.75))
    paragraph = 3 + int(random.random() * 4)
    return "\n\n".join(" ".join(sentences[at : at + paragraph]) for at in range(0, len(sentences), paragraph))


def _list(brief: Brief, random: Random, _chars: int) -> str:
    voice = _topical(brief, random)
    count = brief.items or 4 + int(random.random() * 7)
    symbol = "question" if brief.questions else "item"
    items: list[str] = []
    while len(items) < count:
        items += voice.sentences(symbol, 1_000)
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


def _yes_no(_brief: Brief, random: Random, _chars: int) -> str:
    return "Yes" if random.random() < 0.5 else "No"


def _number(brief: Brief, random: Random, _chars: int) -> str:
    return str(random.randint(brief.low, brief.high))


def _json(brief: Brief, random: Random, _chars: int) -> str:
    value = invent_value(brief.schema or schema_of_keys(brief.keys), _topical(brief, random))
    return msgspec.json.encode(value).decode()


_COMPOSERS: dict[Kind, Callable[[Brief, Random, int], str]] = {
    Kind.PLOT: _plot,
    Kind.PROSE: _prose,
    Kind.LIST: _list,
    Kind.DIALOGUE: _dialogue,
    Kind.NOTE: _note,
    Kind.YES_NO: _yes_no,
    Kind.NUMBER: _number,
    Kind.JSON: _json,
}
