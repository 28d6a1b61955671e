"""Where documents may lie, and which files a pattern means.

Rules of this file: nothing outside the roots is ever opened, whatever a name or a link says; a pattern's files come in
an order that depends on their names only; one folder's names are held in memory at a time.
"""

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from corpusmill.space.documents.faults import FaultError
from corpusmill.spec.errors import SpecError
from corpusmill.spec.wording import hint, quoted

_WILD = re.compile(r"[*?\[]")


class Place(NamedTuple):
    """A file: its name as records tell it, where it is, and the folder it must not leave."""

    name: str
    path: Path
    root: Path


class Base:
    """The folders in which the documents of a job lie.

    Args:
        roots: name -> folder. With the single name "", names are relative to that folder; with any others, a name
            begins with the name of a root, so that a spec never tells a place on the machine.
    """

    def __init__(self, roots: Mapping[str, Path]) -> None:
        self.roots = dict(roots)

    @classmethod
    def beside(cls, spec: Path) -> "Base":
        """Return the base of a spec's file: the folder it is in."""
        return cls({"": spec.parent.absolute()})

    def place(self, name: str) -> Place:
        """Return where a file is that `expanded` once gave.

        Raises:
            FaultError: its root is no longer there.
        """
        if "" in self.roots:
            return Place(name, self.roots[""] / name, self.roots[""])
        first, _, rest = name.partition("/")
        if first not in self.roots:
            raise FaultError("outside", f"there is no root {first!r} any more")
        return Place(name, self.roots[first] / rest, self.roots[first])

    def expanded(self, pattern: str, path: str) -> Iterator[Place]:
        """Yield the files that a pattern means.

        `*`, `?` and `[...]` stand for parts of one name, `**` for any folders; names that begin with a dot are only
        found by patterns that do, and links to folders are not followed by `**`.

        Args:
            pattern: of the spec.
            path: where it stands in the spec, for errors.

        Raises:
            SpecError: it leaves the roots.
        """
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        if pattern.startswith(("/", "~")) or "\\" in pattern or ".." in parts or "\0" in pattern or not parts:
            inside = "the folder of the spec" if "" in self.roots else "the roots of this service"
            raise SpecError(path, f"{quoted(pattern)} is not a name inside {inside}")
        if "" in self.roots:
            yield from _walk(self.roots[""], self.roots[""], "", parts)
            return
        if parts[0] not in self.roots:
            known = hint(parts[0], self.roots) or "; none is configured"
            raise SpecError(path, f"{quoted(parts[0])} is no root, a folder that the daemon's operator names{known}")
        root = self.roots[parts[0]]
        yield from _walk(root, root, f"{parts[0]}/", parts[1:])


def opened(place: Place) -> int:
    """Open a file for reading; return its descriptor.

    Raises:
        FaultError: it is gone, outside its root, no regular file, or cannot be read.
    """
    try:
        real = os.path.realpath(place.path, strict=True)
        if not Path(real).is_relative_to(os.path.realpath(place.root)):
            raise FaultError("outside", f"{place.name} lies outside the folder that documents are read from")
        # Opening a pipe would wait for its writer, for ever.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        raise FaultError("vanished", f"there is no file {place.name}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise FaultError("unreadable", f"{place.name}: {reason}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FaultError("not_a_file", f"{place.name} is no regular file")
    return descriptor


def _walk(root: Path, folder: Path, prefix: str, parts: list[str]) -> Iterator[Place]:
    if not parts:
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _walk(root, folder, prefix, rest or ["*"])
        for name in _names(folder, "*"):
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                yield from _walk(root, folder / name, f"{prefix}{name}/", parts)
        return
    for name in _names(folder, part) if _WILD.search(part) else [part]:
        path = folder / name
        if rest:
            if path.is_dir():
                yield from _walk(root, path, f"{prefix}{name}/", rest)
        elif os.path.lexists(path) and not path.is_dir():
            yield Place(f"{prefix}{name}", path, root)


def _names(folder: Path, pattern: str) -> list[str]:
    """Return the names in a folder that match, sorted; none where it cannot be listed or leads outside."""
    matches = re.compile(fnmatch.translate(pattern)).match
    try:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries)
            return sorted(name for name in names if matches(name) and (pattern[0] == "." or name[0] != "."))
    except OSError:
        return []
