"""An API key that does not show."""

VARIABLE = "CORPUSMILL_API_KEY"


class Secret:
    """A key; only `header` tells it.

    Raises:
        ValueError: it has characters that no key has; the message does not tell them.
    """

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key.strip()
        if not (self._key.isascii() and self._key.isprintable() and " " not in self._key):
            raise ValueError("the API key has characters that no key has; was it copied whole?")

    def __repr__(self) -> str:
        return "Secret(***)"

    def __bool__(self) -> bool:
        return bool(self._key)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")

    def header(self) -> dict[str, str]:
        """Return the header that shows the key to the daemon; none for an empty key."""
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}
