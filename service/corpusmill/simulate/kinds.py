"""What kind of text a prompt asks for.

Rule of this file: patterns are bounded, and read a prompt in small letters. Formats come first, as they bind the whole
answer; then the thing that is asked for; then anything that is mentioned.
"""

import re
from enum import StrEnum


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
    VERDICT = "verdict"


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
SCALE = re.compile(
    rf"\b(?:scale|score|rate|rating|grade|number)\b[^.\n]{{0,40}}?\b(\d{{1,4}}){_ASIDE} ?(?:to|and|-)\s?(\d{{1,4}})\b"
)
"""A scale of numbers, with its ends."""
_TURN = re.compile(r"\byour next (?:words|turn|line)\b")
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_FORMATS = ((_YES_NO, Kind.YES_NO), (SCALE, Kind.NUMBER), (_LISTED, Kind.LIST), (_TURN, Kind.TURN))
_COUNT = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})\b[^.\n\d]{{0,30}}$")


def kind_asked(cues: str) -> Kind:
    """The kind of text that a prompt asks for.

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


def items_asked(cues: str) -> int | None:
    """The number that stands shortly before the thing to be listed."""
    for noun in _NAMED.finditer(cues):
        if _NOUNS[noun[1]] is Kind.LIST and (count := _COUNT.search(cues[max(0, noun.start() - 40) : noun.start()])):
            return _NUMBERS.index(count[1]) + 2 if count[1] in _NUMBERS else max(1, int(count[1]))
    return None
