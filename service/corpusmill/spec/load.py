"""Reading a spec: YAML, JSON or TOML text to a JobSpec.

Rules of this file: whatever the text is, the outcome is a JobSpec or a SpecError of one line. What reads a form is
loaded with the first spec of that form: PyYAML alone takes a twentieth of the time to a run's first call.
"""

import json
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

import msgspec

from .diagnose import first_problem
from .errors import SpecError
from .numerals import number
from .portable import MAX_DEPTH, require_portable
from .schema import JobSpec
from .wording import listed, quoted

MAX_FILE_BYTES = 16 * 2**20

Kind = TypeVar("Kind", bound=msgspec.Struct)
Form = Literal["yaml", "json", "toml"]

_FORMS: dict[str, Form] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}


def load_spec(path: Path) -> JobSpec:
    """The spec in a file whose name ends in .yaml, .yml, .json or .toml.

    Raises:
        SpecError: the file cannot be read (the problem names it), or what `parse_spec` raises.
    """
    return load_as(JobSpec, path)


def load_as(kind: type[Kind], path: Path) -> Kind:
    """What a file tells, as another kind of spec than a job's; raises as `load_spec`."""
    form = _FORMS.get(path.suffix.lower())
    if form is None:
        raise SpecError("", f"{path}: the name of a spec ends in one of {listed(_FORMS)}")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SpecError("", f"{path}: cannot be read: {error.strerror}") from None
    if len(text) > MAX_FILE_BYTES:
        raise SpecError(
            "", f"{path}: larger than {MAX_FILE_BYTES // 2**20} MiB; long axes belong in files of their own"
        )
    try:
        return _parse_as(kind, text, form)
    except SpecError as error:
        raise error if error.path else SpecError("", f"{path}: {error.problem}") from None


def parse_spec(text: bytes, form: Form) -> JobSpec:
    """The spec that a UTF-8 text of one of the three forms tells, checked field by field.

    What needs more than one field to be judged is checked by `spec.checks.check_spec`.

    Raises:
        SpecError: the text is not UTF-8 or not of that form (with the line), or it does not fit (with the path).
    """
    return _parse_as(JobSpec, text, form)


def _parse_as(kind: type[Kind], text: bytes, form: Form) -> Kind:
    try:
        document = _READERS[form](text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise SpecError("", f"line {line}: not UTF-8 text (byte 0x{text[error.start]:02x})") from None
    require_portable(document)
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise first_problem(document, kind) or SpecError("", str(error)) from None


def _read_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_float=number, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise SpecError("", f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise SpecError("", f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise SpecError("", "an integer has too many digits") from None


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise SpecError("", f"the key {quoted(repeated)} stands twice in one object")
    return mapping


def _refuse_constant(name: str) -> NoReturn:
    raise SpecError("", f"{quoted(name)} is not a number of JSON")


def _read_yaml(text: str) -> object:
    from .yaml_reader import read_yaml  # noqa: PLC0415 - PyYAML, see above

    return read_yaml(text)


def _read_toml(text: str) -> object:
    from .toml_reader import read_toml  # noqa: PLC0415 - see above

    return read_toml(text)


_READERS = {"yaml": _read_yaml, "json": _read_json, "toml": _read_toml}
