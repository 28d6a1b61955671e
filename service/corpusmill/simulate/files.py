"""The files that clients have uploaded, as OpenAI's /files keeps them.

Rule of this file: in memory and bounded; no input or output.
"""

import msgspec

from corpusmill.simulate.errors import ApiError, ErrorBody, invalid_request

PURPOSES = ("fine-tune", "batch", "evals", "user_data", "assistants")
MAX_FILES = 1_000
MAX_TOTAL_BYTES = 256 * 2**20


class FileObject(msgspec.Struct, frozen=True):
    """A file, as clients are told of it."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    object: str = "file"
    status: str = "processed"
    status_details: str | None = None
    expires_at: int | None = None


class FileDeleted(msgspec.Struct, frozen=True):
    """The answer to a deletion."""

    id: str
    object: str = "file"
    deleted: bool = True


class Files:
    """All files of one endpoint, in the order in which they came."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[FileObject, bytes]] = {}
        self._serial = 0

    def add(self, filename: str, purpose: str, content: bytes, created: int) -> FileObject:
        """Keep a file.

        Raises:
            ApiError: the purpose is unknown, the file is empty, or there is no room.
        """
        if purpose not in PURPOSES:
            raise invalid_request(f"'{purpose[:50]}' is not one of {list(PURPOSES)} - 'purpose'", "purpose")
        if not content:
            raise invalid_request("File is empty.", "file")
        if len(self._kept) >= MAX_FILES or self._total_bytes() + len(content) > MAX_TOTAL_BYTES:
            raise invalid_request("The simulated endpoint has no room for more files; delete some.", "file")
        self._serial += 1
        entry = FileObject(f"file-sim{self._serial:06d}", len(content), created, filename[:255], purpose)
        self._kept[entry.id] = entry, content
        return entry

    def get(self, name: str) -> FileObject:
        """Return what is known of a file; ApiError where there is none."""
        return self._found(name)[0]

    def content(self, name: str) -> bytes:
        """Return what is in a file; ApiError where there is none."""
        return self._found(name)[1]

    def delete(self, name: str) -> FileDeleted:
        """Forget a file; ApiError where there is none."""
        self._found(name)
        del self._kept[name]
        return FileDeleted(name)

    def listed(self, purpose: str | None) -> list[FileObject]:
        """Return the files of a purpose, the newest first."""
        return [entry for entry, _ in reversed(self._kept.values()) if purpose in (None, entry.purpose)]

    def _found(self, name: str) -> tuple[FileObject, bytes]:
        if name not in self._kept:
            body = ErrorBody(f"No such File object: {name[:100]}", "invalid_request_error", "id")
            raise ApiError(404, "file_not_found", body)
        return self._kept[name]

    def _total_bytes(self) -> int:
        return sum(entry.bytes for entry, _ in self._kept.values())
