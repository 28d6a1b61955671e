"""Files that appear whole or not at all.

Rule of this file: what is written lies beside its place under another name until everything is durable; then it is
renamed. Who fails leaves nothing behind.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpusmill.exports.errors import ExportError, OutputError

SIDES = ("train", "validation")
"""The sides of a split."""


def side_path(path: Path, side: str) -> Path:
    """Return the path for one side of a split: `plots.jsonl` becomes `plots.train.jsonl`."""
    return path.with_name(f"{path.stem}.{side}{path.suffix}")


@contextmanager
def appearing(paths: list[Path], mark: str, *, replace: bool) -> Iterator[list[Path]]:
    """Give a temporary path for each path, and put the files in place when the block ends well.

    Args:
        paths: where the files are to appear.
        mark: what tells this export's temporary names from others'.
        replace: whether files that are there already may be replaced.

    Raises:
        ExportError: a file is there already, or its folder is not.
        OutputError: a file cannot be put in place.
    """
    for path in paths:
        if not path.parent.is_dir():
            raise ExportError(f"{path}: there is no folder {path.parent}")
        if path.exists() and not replace:
            raise ExportError(f"{path} is there already; --force replaces it")
    temporaries = [path.with_name(f".{path.name}.{mark}.part") for path in paths]
    try:
        yield temporaries
        _put_in_place(temporaries, paths)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a durable file.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def _put_in_place(temporaries: list[Path], paths: list[Path]) -> None:
    for temporary, path in zip(temporaries, paths, strict=True):
        try:
            temporary.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
