"""Documents of a folder, opened as a job opens them."""

from pathlib import Path

import msgspec

from corpusmill.space.documents.axis import DocumentAxis
from corpusmill.space.documents.places import Base
from corpusmill.space.documents.scan import Scan, Scanner, Skipped
from corpusmill.spec.checks.documents import check_documents
from corpusmill.spec.schema import Documents, SpaceSpec

MISSING = object()


class Shelf:
    """The documents under one folder, and what was told of those that cannot be used."""

    def __init__(self, folder: Path, index: str = "note.index", **options: object) -> None:
        self.spec = msgspec.convert(options, Documents)
        check_documents(SpaceSpec(documents={"note": self.spec}))
        self.skipped: list[Skipped] = []
        path = folder.parent / index
        scanner = Scanner("note", self.spec, Base({"": folder}), path, b"key", skipped=self.skipped.append)
        self.scan: Scan = scanner.run()
        self.axis = DocumentAxis("note", self.spec, path)

    def names(self) -> list[str]:
        return [str(self.axis[number]) for number in range(len(self.axis))]

    def texts(self) -> list[str]:
        return [self.axis[number].text() for number in range(len(self.axis))]

    def read(self, number: int, attribute: str) -> object:
        return self.axis[number].attribute(attribute, MISSING)


def folder_of(tmp_path: Path, **files: str | bytes) -> Path:
    """A folder with files; in their names `__` stands for a slash and `_` for a dot."""
    folder = tmp_path / "spec"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
