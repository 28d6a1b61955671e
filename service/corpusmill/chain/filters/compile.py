"""From the spec's filters to checks, in their order.

Rule of this file: the order of the tables is the order in which one filter's conditions are judged, cheap ones first;
it is the order of the fields of `spec.schema.Filter`. Conditions that stand on numpy, rapidfuzz or many patterns are
loaded where a filter asks for them: they would take a third of the time to a run's first call.
"""

from collections.abc import Callable

import msgspec

from corpusmill.chain.filters.echo import echo
from corpusmill.chain.filters.language import language
from corpusmill.chain.filters.plain import (
    finish_reason,
    follows_schema,
    lengths,
    matching,
    not_matching,
    number_of_items,
    numbers,
    refusal,
)
from corpusmill.chain.filters.subject import Check, Edit, Rejection, Subject
from corpusmill.spec.schema import Filter


def _personal(spec: Filter) -> Check | None:
    if spec.no_pii is False:
        return None
    from corpusmill.chain.filters.personal import personal  # noqa: PLC0415 - patterns, see above

    return personal(spec)


def _repetition(spec: Filter) -> Check | None:
    if spec.no_repetition is False:
        return None
    from corpusmill.chain.filters.repetition import repetition  # noqa: PLC0415 - numpy, see above

    return repetition(spec)


def _decontaminate(spec: Filter) -> Check | None:
    if spec.decontaminate is None:
        return None
    from corpusmill.chain.filters.evaluation import decontaminate  # noqa: PLC0415 - numpy, see above

    return decontaminate(spec)


def _grounded_in(spec: Filter) -> Check | None:
    if spec.grounded_in is None:
        return None
    from corpusmill.chain.filters.grounding import grounded_in  # noqa: PLC0415 - rapidfuzz, see above

    return grounded_in(spec)


def _drop_ungrounded(spec: Filter) -> Edit | None:
    if spec.grounded_in is None:
        return None
    from corpusmill.chain.filters.grounding import drop_ungrounded  # noqa: PLC0415 - rapidfuzz, see above

    return drop_ungrounded(spec)


_OF_TEXT: tuple[Callable[[Filter], Check | None], ...] = (
    finish_reason, lengths, matching, not_matching, refusal, echo, _personal, _repetition, _decontaminate, language,
)  # fmt: skip
_OF_OUTPUT: tuple[Callable[[Filter], Check | None], ...] = (number_of_items, numbers, follows_schema, _grounded_in)


class Checks(msgspec.Struct, frozen=True):
    """The checks of one step, in the order in which the spec lists them.

    Attributes:
        of_text: judge the text alone, before it is parsed: so a text that was cut off is told as that.
        edits: are made to what was parsed.
        of_output: judge what is left of it.
    """

    of_text: tuple[Check, ...] = ()
    of_output: tuple[Check, ...] = ()
    edits: tuple[Edit, ...] = ()


def compile_checks(filters: list[Filter], step: str) -> Checks:
    """Return the checks for one step."""
    own = [each for each in filters if each.of == step]
    edits = tuple(edit for each in own if (edit := _drop_ungrounded(each)) is not None)
    return Checks(_compiled(own, _OF_TEXT), _compiled(own, _OF_OUTPUT), edits)


def first_rejection(checks: tuple[Check, ...], subject: Subject) -> Rejection | None:
    """Return what the first failing check says, or None if all pass; of a sampled item, what others say as well."""
    for place, check in enumerate(checks):
        rejection = check(subject)
        if rejection is not None:
            if subject.is_sampled:
                others = (other(subject) for other in checks[place + 1 :])
                also = dict.fromkeys(other.reason for other in others if other is not None)
                return msgspec.structs.replace(rejection, also=tuple(also))
            return rejection
    return None


def both(first: Rejection | None, second: Rejection | None) -> Rejection | None:
    """Return the first of two rejections, with what the second says as well."""
    if first is None or second is None:
        return first or second
    return msgspec.structs.replace(first, also=(*first.also, second.reason, *second.also))


def edited(checks: Checks, subject: Subject) -> Subject:
    """Return a subject without what the filters take off its output."""
    for edit in checks.edits:
        subject = edit(subject)
    return subject


def _compiled(filters: list[Filter], table: tuple[Callable[[Filter], Check | None], ...]) -> tuple[Check, ...]:
    made = (condition(each) for each in filters for condition in table)
    return tuple(check for check in made if check is not None)
