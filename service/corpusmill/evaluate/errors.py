"""What can go wrong with an evaluation."""


class EvaluationError(Exception):
    """The evaluation cannot be made, or would say nothing: why, and what to do."""
