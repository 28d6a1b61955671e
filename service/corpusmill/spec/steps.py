"""How the steps of a spec hang together: which repeat, which models they call, and what their templates see.

Rule of this file: pure functions of the accepted structs, for the checks, for the chain and for a plan alike.
"""

from collections.abc import Iterator, Sequence

from .schema import Step

REPEATING = ("attempt", "rejection", "rejected", "critique")
"""What a step that may be asked again sees: how many completions it was asked for before, why the last was not good
enough, its text, and the text of the later step that said so."""
FAN_OUT = ("element", "position")
FOLD = (*FAN_OUT, "previous")
TOP_UP = ("so_far",)
ROUNDS = ("history", "turn", "speaker")


def composed(step: Step) -> bool:
    """Whether the step's one output is made of several calls that its filters judge as a whole."""
    return step.top_up is not None or step.rounds is not None


def goes_back_to(steps: Sequence[Step], number: int) -> int | None:
    """Return the step from which the chain goes on where this one's filters reject; None where it ends there.

    A name that no step has leads nowhere; `checks.steps` refuses it, but may not be the first to look.
    """
    step = steps[number]
    if step.back_to is not None:
        return next((place for place, each in enumerate(steps) if each.name == step.back_to), None)
    return number if composed(step) and step.attempts > 1 else None


def repeats(steps: Sequence[Step], number: int) -> bool:
    """Whether the step may be asked again: it has attempts, or a later step goes back to it or beyond."""
    loops = ((goes_back_to(steps, later), later) for later in range(number, len(steps)))
    return steps[number].attempts > 1 or any(start is not None and start <= number for start, _ in loops)


def most_visits(steps: Sequence[Step], number: int) -> int:
    """Return how many completions are asked for at most at a place of the step, in all visits."""
    begins = [(goes_back_to(steps, later), steps[later].attempts) for later in range(number, len(steps))]
    visits = 1 + sum(attempts - 1 for start, attempts in begins if start is not None and start <= number)
    return visits * (1 if begins[0][0] is not None else steps[number].attempts)


def own_names(steps: Sequence[Step], number: int) -> list[str]:
    """Return what the templates of one step see beside axes, outputs and what every template sees."""
    step = steps[number]
    return [
        *(REPEATING if repeats(steps, number) else ()),
        *(FAN_OUT if step.each is not None else ()),
        *(FOLD if step.fold is not None else ()),
        *(TOP_UP if step.top_up is not None else ()),
        *(ROUNDS if step.rounds is not None else ()),
    ]


def output_names(step: Step) -> list[str]:
    """Return the names under which later templates see what a step gave."""
    return [step.name, choices_name(step.name)] if choices(step) > 1 else [step.name]


def output_kind(step: Step) -> str | None:
    """Return what a step's output is, in words, where nothing can be read of it with a dot; else None."""
    if step.otherwise != "" and not isinstance(step.otherwise, str):
        return None
    if step.each is not None or step.fold is not None or step.top_up is not None or step.rounds is not None:
        return "a list"
    return _KINDS[step.parse]


_KINDS = {
    "text": "plain text",
    "lines": "a list",
    "list": "a list",
    "dialogue": "a list",
    "number": "a number",
    "yes_no": "true or false",
    "json": None,
}


def choices(step: Step) -> int:
    """Return how many completions one call of the step gives."""
    return int(step.parameters.get("n", 1))


def choices_name(step: str) -> str:
    """Return the name of the list of a step's choices, where it has several."""
    return f"{step}_choices"


def aliases(steps: Sequence[Step]) -> list[str]:
    """Return the model aliases that steps call, each once."""
    return list(dict.fromkeys(alias for step in steps for alias in _aliases(step)))


def _aliases(step: Step) -> Iterator[str]:
    if step.rounds is None:
        yield step.model
    else:
        yield from (speaker.model or step.model for speaker in step.rounds.speakers)
