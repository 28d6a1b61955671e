"""What a prompt asks for, guessed from cues a writer of prompts would use.

Rule of this file: only the head and the tail of a prompt are read, where its instruction stands, so that a long
document in the middle neither costs time nor gives cues.
"""

import re
from typing import Any

import msgspec

from corpusmill.simulate.findings import Care, sought_in
from corpusmill.simulate.judging import Case, read_case
from corpusmill.simulate.kinds import SCALE, Kind, items_asked, kind_asked
from corpusmill.simulate.length import CHARS_PER_WORD, words_asked
from corpusmill.simulate.setting import values_named
from corpusmill.simulate.wire import ResponseFormat

WINDOW_CHARS = 800
"""How much of the head, and of the tail, is read."""


class Brief(msgspec.Struct, frozen=True):
    """What to write.

    Attributes:
        values: what the prompt says of the setting, as `setting.values_named` gives it.
        items: how many items a list should have; None leaves it to the writer.
        bulleted: a list has bullets, not numbers.
        questions: a list's items are questions.
        speakers: the labels of a dialogue's turns.
        commas: a list stands on one line.
        sought: what a list or a yes is about, where it is asked of a note: a key of `findings.TERMS`.
        source: the prompt, with the note in it.
        care: with which the note is read.
        low, high: the scale of a number.
        label: what stands before a number on a line of its own.
        ending: what a speaker says to take leave, once something was asked.
        chars: the length asked for; None leaves it to the writer.
        schema: the JSON schema of an object, as far as one is given.
        keys: the keys of an object without schema.
        case: what a judge is asked.
        bias: the share of a judge's verdicts that fall on what stands first.
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
    care: Care = Care()
    low: int = 1
    high: int = 5
    label: str = ""
    ending: str = ""
    chars: float | None = None
    schema: dict[str, Any] | None = None
    keys: tuple[str, ...] = ()
    case: Case | None = None
    bias: float = 0.0


_NUMBER_LABEL = re.compile(r"\b([A-Z]{3,12}): ?n\b")
_ENDING = re.compile(r"\bsay \"([A-Z][A-Z ]{2,30})\"")
_JUDGED = re.compile(r"\n\[VERDICT\]\n[^\n]{0,300}$")
_SCALED = re.compile(r"\bfrom (\d{1,9}) \(worst\) to (\d{1,9}) \(best\)")
_BETWEEN = re.compile(r"\bbetween (?:an? |the )?(\w{1,20}) and (?:an? |the )?(\w{1,20})\b")
_QUOTED = re.compile(r"[\"'`]([A-Za-z_]\w{0,39})[\"'`]")


def read_brief(prompt: str, response_format: ResponseFormat | None = None) -> Brief:
    """What this prompt asks for: a verdict first, then an explicit response format, then what its cues say."""
    return _verdict(prompt) or _text(prompt, response_format)


def _verdict(prompt: str) -> Brief | None:
    """What a judge is asked; None where the prompt asks for something else."""
    ending = prompt[-WINDOW_CHARS:]
    if not _JUDGED.search(ending) or (case := read_case(prompt)) is None:
        return None
    scale = _SCALED.search(ending)
    low, high = (int(scale[1]), int(scale[2])) if scale else (1, 10)
    return Brief(Kind.VERDICT, case=case, low=low, high=high)


def _text(prompt: str, response_format: ResponseFormat | None) -> Brief:
    window = prompt if len(prompt) <= 2 * WINDOW_CHARS else f"{prompt[:WINDOW_CHARS]}\n{prompt[-WINDOW_CHARS:]}"
    cues = window.lower()
    kind = Kind.JSON if response_format and response_format.type != "text" else kind_asked(cues)
    values = values_named(window)
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


def _label(speaker: str) -> str:
    return speaker[0].upper() + speaker[1:]


def _number(window: str, cues: str, values: dict[str, str]) -> Brief:
    scale = SCALE.search(cues)
    low, high = sorted((int(scale[1]), int(scale[2]))) if scale else (1, 5)
    label = _NUMBER_LABEL.search(window)
    return Brief(Kind.NUMBER, values, low=low, high=high, label=label[1] if label else "")


def _listed(kind: Kind, cues: str, values: dict[str, str], prompt: str) -> Brief:
    if sought := sought_in(cues):
        return Brief(kind, values, sought=sought, source=prompt)
    return Brief(
        kind,
        values,
        items=items_asked(cues),
        bulleted="bullet" in cues or cues.rstrip().endswith("\n-"),
        questions="question" in cues,
        commas="separated by commas" in cues,
    )


def _schema(response_format: ResponseFormat | None) -> dict[str, Any] | None:
    schema = ((response_format and response_format.json_schema) or {}).get("schema")
    return schema if isinstance(schema, dict) else None
