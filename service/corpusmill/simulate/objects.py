"""Invented JSON: values that fit a JSON schema.

Rule of this file: every value is drawn from the schema's own words (type, enum, const, properties, items, bounds,
references, the first of several choices); what it does not understand is a sentence. A schema comes from outside and
may be anything: no word of it is trusted to have the right type, and depth and number of the values are bounded.
"""

from collections.abc import Callable, Mapping
from typing import Any

from corpusmill.simulate.grammar import Voice

MAX_DEPTH = 8
MAX_ITEMS = 100
MAX_VALUES = 5_000
Json = Any
"""A JSON value: of what comes from outside a checker knows no more than this."""
Schema = Mapping[str, Json]


def invent_value(schema: Schema, voice: Voice) -> Json:
    """A value that fits the schema."""
    return _Filler(schema, voice).value(schema, "", MAX_DEPTH)


def schema_of_keys(keys: tuple[str, ...]) -> dict[str, Json]:
    """The schema of an object with these keys, each a string; without keys a title, a summary, tags and a score."""
    text = {"type": "string"}
    if keys:
        return {"type": "object", "properties": dict.fromkeys(keys, text)}
    score = {"type": "integer", "minimum": 1, "maximum": 5}
    properties = {"title": text, "summary": text, "tags": {"type": "array", "items": text}, "score": score}
    return {"type": "object", "properties": properties}


class _Filler:
    """Fills one schema, counting the values."""

    def __init__(self, root: Schema, voice: Voice) -> None:
        self._root = root
        self._voice = voice
        self._left = MAX_VALUES
        self._makers: dict[str, Callable[[Schema, str, int], Json]] = {
            "object": self._object,
            "array": self._array,
            "integer": self._integer,
            "number": lambda schema, name, depth: float(self._integer(schema, name, depth)),
            "boolean": lambda _schema, _name, _depth: voice.random() < 0.5,
            "null": lambda _schema, _name, _depth: None,
        }

    def value(self, schema: Json, name: str, depth: int) -> Json:
        """A value for the property `name`, which suggests what a text there is like."""
        self._left -= 1
        resolved = self._resolved(schema)
        if "const" in resolved:
            return resolved["const"]
        if isinstance(choices := resolved.get("enum"), list) and choices:
            return choices[int(self._voice.random() * len(choices))]
        kind = resolved.get("type", "object" if "properties" in resolved else "string")
        first = kind[0] if isinstance(kind, list) and kind else kind
        return self._makers.get(str(first), self._text)(resolved, name, depth)

    def _resolved(self, schema: Json) -> Schema:
        """The schema behind references and choices, as far as they go a bounded number of times."""
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict):
                return {}
            choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if "$ref" in schema:
                schema = self._referred(str(schema["$ref"]))
            elif isinstance(choices, list):
                schema = choices[0]
            else:
                return schema
        return {}

    def _referred(self, reference: str) -> Json:
        target: Json = self._root
        for step in filter(None, reference.removeprefix("#").split("/")):
            target = target.get(step) if isinstance(target, dict) else None
        return target

    def _object(self, schema: Schema, _name: str, depth: int) -> Json:
        properties = schema.get("properties")
        if depth == 0 or not isinstance(properties, dict):
            return {}
        return {key: self.value(part, key, depth - 1) for key, part in properties.items() if self._left > 0}

    def _array(self, schema: Schema, name: str, depth: int) -> Json:
        low = _whole(schema, "minItems", 2)
        high = _whole(schema, "maxItems", max(low, 4))
        count = min(MAX_ITEMS, self._between(low, high)) if depth else 0
        return [self.value(schema.get("items"), name, depth - 1) for _ in range(count) if self._left > 0]

    def _integer(self, schema: Schema, _name: str, _depth: int) -> int:
        low = _whole(schema, "minimum", _whole(schema, "exclusiveMinimum", -1) + 1)
        high = _whole(schema, "maximum", _whole(schema, "exclusiveMaximum", low + 101) - 1)
        return self._between(low, high)

    def _between(self, low: int, high: int) -> int:
        return low + int(self._voice.random() * (max(low, high) - low + 1))

    def _text(self, schema: Schema, name: str, _depth: int) -> str:
        lowered = name.lower()
        if lowered.endswith(("name", "author", "character")):
            text = self._voice.sentence("person")
        elif lowered in ("title", "tags", "tag", "genre", "label", "category"):
            text = self._voice.sentence("phrase_value")
        else:
            text = self._voice.sentence("sentence_value")
        return text[: max(0, _whole(schema, "maxLength", len(text)))]


def _whole(schema: Schema, name: str, default: int) -> int:
    """A whole number of the schema, of moderate size; the default where there is none."""
    number = schema.get(name)
    return int(number) if isinstance(number, (int, float)) and abs(number) < 2**53 else default
