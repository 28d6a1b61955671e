"""A small valid spec as a document, and the same with some places changed."""

import copy
from typing import Any

import msgspec

from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec

DELETE = ...

DOCUMENT: dict[str, Any] = {
    "name": "plots",
    "space": {"axes": {"genre": ["western", "horror"], "place": ["Rome: a city", "Fuji: a mountain"]}},
    "steps": [
        {"name": "premise", "prompt": "{{ nonce }} A {{ genre }} in {{ place.label }}."},
        {"name": "plot", "prompt": "Go on: {{ premise }}"},
    ],
    "filters": [{"of": "plot", "min_chars": 100}],
    "examples": [{"name": "outline", "prompt": "{{ genre }}:", "completion": " {{ plot }}"}],
}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The document with new values at dotted paths (`steps.0.prompt`), or without what is DELETE."""
    document = copy.deepcopy(DOCUMENT)
    for path, value in changes.items():
        *folders, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = document
        for part in folders:
            place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
        if value is DELETE:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return document


def spec(changes: dict[str, Any] | None = None) -> JobSpec:
    return parse_spec(msgspec.json.encode(changed(changes or {})), "json")
