"""Axis files: read once, when a spec is accepted, so that the job stays the same whatever becomes of the file.

Rule of this file: whatever is wrong with a file is a SpecError at the axis that names it, with the line where there is
one. A file outside the spec's folder is refused: a spec may come from anywhere, and what it reads goes to an endpoint.
"""

from os.path import realpath
from pathlib import Path

from msgspec.structs import replace

from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Axis, JobSpec, Scalar
from corpusmill.spec.wording import at, quoted

MAX_FILE_BYTES = 64 * 2**20
MAX_FILE_LINES = 5_000_000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def inline_axis_files(spec: JobSpec, folder: Path) -> JobSpec:
    """Return the spec with the values of every axis file in place of its name.

    A file is UTF-8 text with one value a line; white space around a value and blank lines do not count.

    Args:
        spec: a spec that may name files.
        folder: the folder the names are relative to, and in which the files lie.

    Raises:
        SpecError: at `space.axes.<axis>.file`: the file is missing, outside the folder, no regular file, unreadable,
            empty, too large (64 MiB, 5,000,000 lines) or not UTF-8, or a value stands in it twice.
    """
    axes = {name: _inlined(name, axis, folder) for name, axis in spec.space.axes.items()}
    return replace(spec, space=replace(spec.space, axes=axes))


def _inlined(name: str, axis: list[Scalar] | Axis, folder: Path) -> list[Scalar] | Axis:
    if isinstance(axis, list) or axis.file is None:
        return axis
    path = f"{at('space.axes', name)}.file"
    if axis.values is not None or axis.within is not None:
        raise SpecError(path, "an axis whose values come from a file has neither `values` nor `within`")
    return [*_values(path, axis.file, text_of_file(path, axis.file, folder))]


def text_of_file(path: str, name: str, folder: Path) -> str:
    """Return the text of a file that a spec names at `path`.

    Raises:
        SpecError: there is no such text in the folder.
    """
    return _text(path, name, _content(path, name, folder))


def _content(path: str, name: str, folder: Path) -> bytes:
    place = folder / name
    try:
        if not Path(realpath(place)).is_relative_to(realpath(folder)):
            raise SpecError(path, f"{quoted(name)} lies outside the folder of the spec; copy it there")
        if place.is_dir():
            raise SpecError(path, f"{quoted(name)} is a directory")
        # Opening a pipe would wait for its writer, for ever.
        if place.exists() and not place.is_file():
            raise SpecError(path, f"{quoted(name)} is not a regular file")
        with place.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(path, f"there is no file {quoted(name)} in the folder of the spec") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise SpecError(path, f"{quoted(name)} cannot be read: {reason}") from None
    if len(content) > MAX_FILE_BYTES:
        raise SpecError(path, f"{quoted(name)} is larger than {MAX_FILE_BYTES // 2**20} MiB")
    return content


def _text(path: str, name: str, content: bytes) -> str:
    try:
        return content.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        byte = error.object[error.start]
        problem = f"{quoted(name)} is not UTF-8: line {line}, byte {column} of it is 0x{byte:02x}"
        raise SpecError(path, problem) from None


def _values(path: str, name: str, text: str) -> dict[str, int]:
    """Return the values in their order, each with its line."""
    if text.count("\n") > MAX_FILE_LINES:
        raise SpecError(path, f"{quoted(name)} has more than {MAX_FILE_LINES:,} lines")
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        value = line.strip()
        if not value:
            continue
        first = lines.setdefault(value, number)
        if first != number:
            raise SpecError(path, f"{quoted(name)} has {quoted(value)} twice, in lines {first} and {number}")
    if not lines:
        raise SpecError(path, f"{quoted(name)} has no values: it is empty")
    return lines
