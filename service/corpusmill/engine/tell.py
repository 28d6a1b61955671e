"""What is told of a call that came back, as an event.

Rule of this file: from what is at hand to plain values; no clock is asked for them.
"""

import msgspec

from corpusmill.endpoint.client import Answer, request_id
from corpusmill.endpoint.failures import Failure
from corpusmill.engine.lane import Lane
from corpusmill.engine.tickets import Ticket
from corpusmill.telemetry.events import CallAnswered, CallFailed


def call_answered(answer: Answer, lane: Lane, ticket: Ticket, index: int, after: str) -> CallAnswered:
    """Return the event of a call that brought a completion."""
    route, completion = lane.route, answer.completion
    usage = completion.usage
    return CallAnswered(
        ticket.job,
        ticket.gate_name,
        route.model,
        route.upstream,
        lane.step.name,
        lane.step.api,
        index,
        after,
        ticket.granted_at - ticket.queued_at,
        answer.seconds,
        completion.request_id,
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        lane.cost(completion),
        completion.choices[0].finish_reason,
    )


def call_failed(failure: Failure, lane: Lane, ticket: Ticket, index: int, after: str, now: float) -> CallFailed:
    """Return the event of a call that brought none."""
    route, usage = lane.route, failure.usage
    return CallFailed(
        ticket.job,
        ticket.gate_name,
        route.model,
        route.upstream,
        lane.step.name,
        lane.step.api,
        index,
        after,
        ticket.granted_at - ticket.queued_at,
        now - ticket.granted_at,
        request_id(failure.headers or {}),
        failure.kind.value,
        failure.status,
        failure.fate.value,
        failure.message,
        None if usage is None else msgspec.structs.astuple(usage),
        lane.cost_of_failure(failure),
    )
