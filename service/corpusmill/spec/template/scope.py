"""What is known about names, and about the size of the template, while it is compiled."""

from collections.abc import Iterable


class Uses:
    """What a template as a whole uses.

    Attributes:
        variables: names that it reads without having set them.
        attributes: (name, attribute) for each attribute that it reads of such a name.
        nodes: how many nodes of it have been compiled so far.
    """

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.nodes = 0


class Scope:
    """The names that one piece of a template has set for itself.

    Attributes:
        uses: what the template uses, of which this is a piece.
        bound: the names that the template has set so far, as seen from here.
    """

    def __init__(self, uses: Uses, bound: Iterable[str] = ()) -> None:
        self.uses = uses
        self.bound = set(bound)

    def inner(self) -> "Scope":
        """A scope that begins with the names of this one; what it binds stays in it."""
        return Scope(self.uses, self.bound)

    def bind(self, name: str) -> None:
        """From here on the template itself has set `name`."""
        self.bound.add(name)

    def bind_common(self, branches: Iterable["Scope"]) -> None:
        """From here on, the names that every one of the branches has set are set."""
        self.bound.update(set.intersection(*(branch.bound for branch in branches)))

    def read(self, name: str) -> None:
        """The template reads `name`."""
        if name not in self.bound:
            self.uses.variables.add(name)

    def read_attribute(self, name: str, attribute: str) -> None:
        """The template reads `name.attribute`."""
        if name not in self.bound:
            self.uses.attributes.add((name, attribute))
