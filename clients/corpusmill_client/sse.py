"""Server-sent events, out of lines.

Source: the HTML standard, section 9.2.6, "Interpreting an event stream"; comments are passed over.
"""

import msgspec


class Frame(msgspec.Struct, frozen=True):
    """One event as it came."""

    id: str
    event: str
    data: bytes


class Frames:
    """Makes frames of lines.

    Attributes:
        last_id: of the last frame that was whole; empty before the first.
        retry_seconds: how long to wait before connecting again, if the server said so.
    """

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_seconds: float | None = None
        self.drop()

    def drop(self) -> None:
        """Forget the frame that has begun: the connection is lost."""
        self._id, self._event = self.last_id, ""
        self._data: list[bytes] = []

    def take(self, line: bytes) -> Frame | None:
        """Take one line; return the frame that it ends, if it does."""
        line = line.rstrip(b"\r\n")
        if not line:
            return self._end()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._event = value.decode(errors="replace")
        elif field == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif field == b"retry" and value.isdigit():
            self.retry_seconds = int(value[:9]) / 1000
        return None

    def _end(self) -> Frame | None:
        self.last_id = self._id
        frame = Frame(self._id, self._event or "message", b"\n".join(self._data)) if self._data else None
        self.drop()
        return frame
