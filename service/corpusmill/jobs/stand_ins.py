"""What stands for an answer that is not there yet: a value of the shape that its step will give.

Rule of this file: whatever text is in a stand-in is the placeholder, so that it is seen, and can be counted, in a
prompt that was made with it.
"""

from collections.abc import Mapping
from typing import Any

from corpusmill.spec.schema import Step
from corpusmill.spec.steps import choices, choices_name

MOST_NESTED = 10
"""Levels of a schema that are filled in."""


def placeholder(step: str) -> str:
    """Return what stands for the answer of a step."""
    return f"⟨{step}⟩"


def stand_ins(step: Step) -> dict[str, object]:
    """Return what stands for the outputs of a step, by the names under which templates see them."""
    value = _value(step)
    return {step.name: value, choices_name(step.name): [value]} if choices(step) > 1 else {step.name: value}


def own_stand_ins(step: Step) -> dict[str, object]:
    """Return what stands for the names that only the step's own templates see, but for `element`."""
    speaker = step.rounds.speakers[0].name if step.rounds is not None else ""
    past = {"attempt": 0, "rejection": "", "rejected": "", "critique": ""}
    return {**past, "position": 0, "previous": "", "so_far": [], "history": [], "turn": 0, "speaker": speaker}


def _value(step: Step) -> object:
    text = placeholder(step.name)
    if step.rounds is not None:
        return [{"speaker": speaker.name, "text": text} for speaker in step.rounds.speakers]
    one = _parsed(step, text)
    return [one] if step.each is not None or step.fold is not None else one


def _parsed(step: Step, text: str) -> object:
    match step.parse:
        case "lines" | "list":
            return [text]
        case "yes_no":
            return True
        case "number":
            return step.between[0] if step.between is not None else 1
        case "dialogue":
            return [{"speaker": placeholder("speaker"), "text": text}]
        case "json":
            return _of_schema(step.schema, text, MOST_NESTED) if step.schema is not None else text
        case "text":
            return text


def _of_schema(schema: Any, text: str, levels: int) -> object:
    """Return a value in the shape of a JSON Schema, as far as its types tell it."""
    if not isinstance(schema, Mapping) or not levels:
        return text
    if schema.get("enum"):
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {})
            return {name: _of_schema(part, text, levels - 1) for name, part in parts.items()}
        case "array":
            return [_of_schema(schema.get("items"), text, levels - 1)]
        case kind:
            return {"number": schema.get("minimum", 1), "integer": 1, "boolean": True}.get(str(kind), text)
