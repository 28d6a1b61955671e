"""The errors of this room: of a whole spec, of a template's source, and of one rendering."""


class SpecError(Exception):
    """The spec cannot be accepted: where in it, what is wrong, and what to do.

    Attributes:
        path: the place in the spec, as `steps[1].prompt`; empty for the spec as a whole.
        problem: what is wrong there, one line, with the nearest valid name where there is one.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


class TemplateError(Exception):
    """The source of a template or an expression cannot be accepted.

    Attributes:
        problem: what is wrong, one line.
        line: where in the source, counted from 1.
    """

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(f"line {line}: {problem}")
        self.problem = problem
        self.line = line


class RenderError(Exception):
    """A template cannot be rendered with these values: something is undefined, does not fit, or reaches a bound."""


class DocumentError(RenderError):
    """A document cannot be read as it was when the job was begun: which one, and what became of it."""
