"""What is known about names while a template is compiled."""

from collections.abc import Iterable


class Scope:
    """The names that one piece of a template has set for itself, and what all of it asks for from outside.

    Attributes:
        variables: names that the template reads without having set them.
        bound: names that the template has set so far.
        attributes: (name, attribute) for each attribute that it reads of such a name.
    """

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.bound: set[str] = set()

    def inner(self) -> "Scope":
        """A scope that begins with the names of this one; what it binds stays in it."""
        scope = Scope()
        scope.variables, scope.attributes, scope.bound = self.variables, self.attributes, set(self.bound)
        return scope

    def bind(self, name: str) -> None:
        """From here on the template itself has set `name`."""
        self.bound.add(name)

    def bind_common(self, branches: Iterable["Scope"]) -> None:
        """From here on, the names that every one of the branches has set are set."""
        self.bound.update(set.intersection(*(branch.bound for branch in branches)))

    def read(self, name: str) -> None:
        """The template reads `name`."""
        if name not in self.bound:
            self.variables.add(name)

    def read_attribute(self, name: str, attribute: str) -> None:
        """The template reads `name.attribute`."""
        if name not in self.bound:
            self.attributes.add((name, attribute))
