"""What a prompt asks for, guessed from cues a writer of prompts would use.

Rule of this file: only the head and the tail of a prompt are read, where its instruction stands, so that a long
document in the middle neither costs time nor gives cues. Patterns are bounded; the first kind whose cue is found wins.
"""

import re
from enum import StrEnum
from typing import Any

import msgspec

from corpusmill.simulate.findings import sought_in
from corpusmill.simulate.length import CHARS_PER_WORD, words_asked
from corpusmill.simulate.wire import ResponseFormat

WINDOW_CHARS = 800
"""How much of the head, and of the tail, is read."""


class Kind(StrEnum):
    """The kinds of text there are."""

    PLOT = "plot"
    PROSE = "prose"
    LIST = "list"
    DIALOGUE = "dialogue"
    NOTE = "note"
    YES_NO = "yes_no"
    NUMBER = "number"
    JSON = "json"
    TURN = "turn"
    SCRIPT = "script"


class Brief(msgspec.Struct, frozen=True):
    """What to write.

    Attributes:
        values: what the prompt says of `genre`, `place`, `period`, `tone`, `film` (the medium) and `topic`.
        items: how many items a list should have; None leaves it to the writer.
        bulleted: a list has bullets, not numbers.
        questions: a list's items are questions.
        speakers: the labels of a dialogue's turns.
        commas: a list stands on one line.
        sought: what a list or a yes is about, where it is asked of a note: a key of `findings.TERMS`.
        source: the prompt, with the note in it.
        invented_share: of what is listed of a note, in the mean, the share that it does not name.
        low, high: the scale of a number.
        label: what stands before a number on a line of its own.
        ending: what a speaker says to take leave, once something was asked.
        chars: the length asked for; None leaves it to the writer.
        schema: the JSON schema of an object, as far as one is given.
        keys: the keys of an object without schema.
    """

    kind: Kind
    values: dict[str, str] = {}
    items: int | None = None
    bulleted: bool = False
    questions: bool = False
    speakers: tuple[str, str] = ("User", "Assistant")
    commas: bool = False
    sought: str = ""
    source: str = ""
    invented_share: float = 0.0
    low: int = 1
    high: int = 5
    label: str = ""
    ending: str = ""
    chars: float | None = None
    schema: dict[str, Any] | None = None
    keys: tuple[str, ...] = ()


_NOUNS = {
    "plot": Kind.PLOT, "story": Kind.PLOT, "synopsis": Kind.PLOT, "outline": Kind.PLOT, "premise": Kind.PLOT,
    "screenplay": Kind.PLOT, "list": Kind.LIST, "ideas": Kind.LIST, "questions": Kind.LIST, "items": Kind.LIST,
    "names": Kind.LIST, "examples": Kind.LIST, "bullet": Kind.LIST, "dialogue": Kind.DIALOGUE, "dialog": Kind.DIALOGUE,
    "conversation": Kind.DIALOGUE, "chat": Kind.DIALOGUE, "clinical": Kind.NOTE, "medical": Kind.NOTE,
    "patient": Kind.NOTE, "discharge": Kind.NOTE, "scene": Kind.PROSE, "paragraph": Kind.PROSE, "essay": Kind.PROSE,
    "chapter": Kind.PROSE, "summary": Kind.PROSE, "script": Kind.SCRIPT, "feedback": Kind.PROSE,
    "description": Kind.PROSE, "question": Kind.PROSE, "reply": Kind.PROSE, "answer": Kind.PROSE,
    "sentence": Kind.PROSE, "actions": Kind.LIST, "terms": Kind.LIST, "tasks": Kind.LIST, "beats": Kind.LIST,
    "steps": Kind.LIST,
}  # fmt: skip
_NOUN = "|".join(_NOUNS)
_VERB = "write|imagine|create|generate|invent|brainstorm|compose|draft|give|produce|tell|make|suggest|list|name|ask"
_ASKED = re.compile(rf"\b(?:{_VERB})\b[^.?!\n]{{0,80}}?\b({_NOUN})\b")
_SOME = r"\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|some|all|every|several"
_LISTED = re.compile(rf"(?:^|[.!?:\n]\s*)(?:list|enumerate|name (?:{_SOME}))\b")
_NAMED = re.compile(rf"\b({_NOUN})\b")
_YES_NO = re.compile(r"\byes(?:/| or |, | / )no\b|\btrue or false\b")
_ASIDE = r"(?: \([^()\n]{1,40}\))?"
_SCALE = re.compile(
    rf"\b(?:scale|score|rate|rating|grade|number)\b[^.\n]{{0,40}}?\b(\d{{1,4}}){_ASIDE} ?(?:to|and|-)\s?(\d{{1,4}})\b"
)
_NUMBER_LABEL = re.compile(r"\b([A-Z]{3,12}): ?n\b")
_TURN = re.compile(r"\byour next (?:words|turn|line)\b")
_ENDING = re.compile(r"\bsay \"([A-Z][A-Z ]{2,30})\"")
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_FORMATS = ((_YES_NO, Kind.YES_NO), (_SCALE, Kind.NUMBER), (_LISTED, Kind.LIST), (_TURN, Kind.TURN))
_COUNT = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})\b[^.\n\d]{{0,30}}$")
_BETWEEN = re.compile(r"\bbetween (?:an? |the )?(\w{1,20}) and (?:an? |the )?(\w{1,20})\b")
_QUOTED = re.compile(r"[\"'`]([A-Za-z_]\w{0,39})[\"'`]")

_LABELLED = re.compile(r"(?:^|\. )[ \t]*([A-Za-z]{3,12})[ \t]*:[ \t]*(\S[^\n.]{0,79})", re.MULTILINE)
_LABELS = {
    "genre": "genre", "place": "place", "location": "place", "setting": "place", "city": "place", "country": "place",
    "period": "period", "time": "period", "era": "period", "tone": "tone", "modifier": "tone", "mood": "tone",
    "style": "tone", "topic": "topic", "subject": "topic", "theme": "topic",
}  # fmt: skip
_WORD = r"(?!(?:an?|the|for)\b)[\w&,'/-]{1,30}"
_GENRE = re.compile(
    rf"\b(?:an?|the|for) ({_WORD}(?: {_WORD}){{0,4}}?) (film|movie|novel|series|play|story)\b", re.IGNORECASE
)
_PLACE = re.compile(r"\bset in ([^.,;:\n]{1,60}?)(?: (?:during|in) ([^.,;:\n]{1,60}))?(?=[.,;:\n]|$)", re.IGNORECASE)
_TONE = re.compile(r"\b(?:tone|mood|style|story) (?:is|should be|must be) ([^.;:\n]{1,60})", re.IGNORECASE)
_TOPIC = re.compile(r"\b(?:about|regarding|concerning|on the topic of) (?!\d)([^.,;:?!\n]{3,60})", re.IGNORECASE)


def read_brief(prompt: str, response_format: ResponseFormat | None = None) -> Brief:
    """What this prompt asks for; an explicit response format comes before every cue."""
    window = prompt if len(prompt) <= 2 * WINDOW_CHARS else f"{prompt[:WINDOW_CHARS]}\n{prompt[-WINDOW_CHARS:]}"
    cues = window.lower()
    kind = Kind.JSON if response_format and response_format.type != "text" else _kind(cues)
    values = _values(window)
    match kind:
        case Kind.JSON:
            return Brief(kind, values, schema=_schema(response_format), keys=tuple(_QUOTED.findall(window)[:20]))
        case Kind.NUMBER:
            return _number(window, cues, values)
        case Kind.LIST | Kind.YES_NO:
            return _listed(kind, cues, values, prompt)
        case Kind.DIALOGUE:
            pair = _BETWEEN.search(window)
            return Brief(kind, values, speakers=(_label(pair[1]), _label(pair[2]))) if pair else Brief(kind, values)
        case Kind.TURN:
            ending = _ENDING.search(window) if "?" in window else None
            return Brief(kind, values, ending=ending[1] if ending else "")
        case _:
            words = words_asked(cues)
            return Brief(kind, values, chars=None if words is None else words * CHARS_PER_WORD)


def _kind(cues: str) -> Kind:
    """Formats first, as they bind the whole answer; then the thing asked for; then anything mentioned.

    Of several formats the last one counts: what comes before it is an earlier question with its answer.
    """
    if "json" in cues:
        return Kind.JSON
    if formats := [(match.start(), kind) for pattern, kind in _FORMATS for match in pattern.finditer(cues)]:
        return max(formats)[1]
    if asked := _ASKED.search(cues):
        return _NOUNS[asked[1]]
    named = _NAMED.search(cues)
    return _NOUNS[named[1]] if named else Kind.PROSE


def _values(window: str) -> dict[str, str]:
    values: dict[str, str] = {}
    if genre := _GENRE.search(window):
        values["genre"], values["film"] = genre[1], genre[2].lower()
    if place := _PLACE.search(window):
        values["place"] = place[1]
        if place[2]:
            values["period"] = place[2]
    for name, pattern in (("tone", _TONE), ("topic", _TOPIC)):
        if found := pattern.search(window):
            values[name] = found[1]
    for label, value in _LABELLED.findall(window):
        if name := _LABELS.get(label.lower(), ""):
            values[name] = value
    return {name: " ".join(value.split()).rstrip(".") for name, value in values.items()}


def _label(speaker: str) -> str:
    return speaker[0].upper() + speaker[1:]


def _number(window: str, cues: str, values: dict[str, str]) -> Brief:
    scale = _SCALE.search(cues)
    low, high = sorted((int(scale[1]), int(scale[2]))) if scale else (1, 5)
    label = _NUMBER_LABEL.search(window)
    return Brief(Kind.NUMBER, values, low=low, high=high, label=label[1] if label else "")


def _listed(kind: Kind, cues: str, values: dict[str, str], prompt: str) -> Brief:
    if sought := sought_in(cues):
        return Brief(kind, values, sought=sought, source=prompt)
    return Brief(
        kind,
        values,
        items=_items(cues),
        bulleted="bullet" in cues or cues.rstrip().endswith("\n-"),
        questions="question" in cues,
        commas="separated by commas" in cues,
    )


def _items(cues: str) -> int | None:
    """The number that stands shortly before the thing to be listed."""
    for noun in _NAMED.finditer(cues):
        if _NOUNS[noun[1]] is Kind.LIST and (count := _COUNT.search(cues[max(0, noun.start() - 40) : noun.start()])):
            return _NUMBERS.index(count[1]) + 2 if count[1] in _NUMBERS else max(1, int(count[1]))
    return None


def _schema(response_format: ResponseFormat | None) -> dict[str, Any] | None:
    schema = ((response_format and response_format.json_schema) or {}).get("schema")
    return schema if isinstance(schema, dict) else None
