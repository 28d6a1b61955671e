"""A value that stands for a text which is read only when a template needs it.

Rule of this file: a name that stands alone is its text; what is read of it with a dot is asked of the reference, and
costs no text. Templates see plain values only, never the reference itself.
"""


class Reference:
    """What a document is to a template. `str()` of it is its name."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """What it is called, in records and reports."""
        raise NotImplementedError

    @property
    def source(self) -> str:
        """What it was taken from: references of one source are never on both sides of a split."""
        raise NotImplementedError

    def text(self) -> str:
        """Read the text.

        Raises:
            DocumentError: it cannot be read, or is not what it was.
        """
        raise NotImplementedError

    def attribute(self, name: str, missing: object) -> object:
        """Return an attribute, of the types that templates see, or `missing`. Raises as `text`."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.name
