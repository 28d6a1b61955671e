"""The one error of this room."""


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
