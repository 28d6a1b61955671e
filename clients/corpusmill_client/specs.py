"""A spec on its way to the daemon: a mapping, a file, or text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

TYPES = {
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".toml": "application/toml",
}

Spec = Mapping[str, Any] | Path | str | bytes
"""A mapping; the path of a .yaml, .yml, .json or .toml file; or the text of a spec in YAML or JSON."""


class Body(msgspec.Struct, frozen=True):
    """What is sent."""

    content: bytes
    media_type: str


def body_of(spec: Spec) -> Body:
    """Return the request body of a spec. Blocking where it is a file.

    Raises:
        ValueError: the name of the file does not tell what is in it.
        OSError: the file cannot be read.
        TypeError: the mapping holds something that JSON does not.
    """
    if isinstance(spec, Path):
        media_type = TYPES.get(spec.suffix.lower())
        if media_type is None:
            raise ValueError(f"{spec}: the name of a spec ends in one of {', '.join(TYPES)}")
        return Body(spec.read_bytes(), media_type)
    if isinstance(spec, Mapping):
        return Body(msgspec.json.encode(dict(spec)), "application/json")
    content = spec.encode() if isinstance(spec, str) else spec
    return Body(content, "application/json" if content.lstrip().startswith(b"{") else "application/yaml")
