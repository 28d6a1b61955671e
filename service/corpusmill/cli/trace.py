"""`corpusmill trace`: every call of one item, while its job runs or afterwards."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from corpusmill.bootstrap.report import trace_of
from corpusmill.jobs.trace import Exchange, ItemTrace, Requests
from corpusmill.space.values import encode_value


@click.command(epilog="Nothing is written; a job that runs is not disturbed. Calls without an answer are in the log.")
@click.argument("job")
@click.argument("item")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="CORPUSMILL_DATA", default=Path("data"), show_default=True
)
@click.option("--generation", type=click.IntRange(min=1), help="That of a refold; by default the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print the trace as one JSON object.")
def trace(job: str, item: str, data: Path, generation: int | None, as_json: bool) -> None:
    """Show the calls of ITEM of JOB: prompt, answer, model, tokens, cost, and the provider's request id.

    ITEM is an index, or the id of a line of the corpus or of the rejects.
    """
    found = trace_of(data, job, item, generation)
    click.echo(msgspec.json.encode(found, enc_hook=encode_value) if as_json else "\n".join(_text(found)))


def _text(found: ItemTrace) -> Iterator[str]:
    yield f"{found.job}:{found.index}  {_outcome(found)}"
    for axis, value in found.values.items():
        yield f"  {axis}: {_line(str(value))}"
    for call in found.calls:
        yield ""
        yield from _call(call)
    if found.unanswered.sent:
        yield f"\nwithout an answer: {_requests(found.unanswered)}"
    if found.unrendered:
        yield f"\nprompts that are not shown cannot be rendered any more: {found.unrendered}"


def _outcome(found: ItemTrace) -> str:
    told = found.outcome
    if told is None:
        return "not decided yet" if found.calls or found.unanswered.sent else "nothing in the journal yet"
    if told.outcome == "kept":
        return f"kept, {told.records} records"
    of = f" of {found.job}:{told.of}" if told.of is not None else ""
    why = ": ".join(filter(None, (told.reason, told.detail)))
    return f"{told.outcome}{of}, {why}" if why else f"{told.outcome}{of}"


def _call(call: Exchange) -> Iterator[str]:
    place = f"part {call.part}, " if call.part else ""
    yield f"{call.step}  {place}attempt {call.attempt}  {call.model}  {call.request_id or 'no request id'}"
    used = "tokens unknown"
    if (tokens := call.tokens) is not None:
        used = f"{tokens.input:,} tokens in ({tokens.cached_input:,} cached), {tokens.output:,} out"
    cost = "unknown price" if call.cost_usd is None else f"${call.cost_usd:.6f}"
    yield f"  {used}  {cost}  {_requests(call.requests)}"
    for role, text in _sent(call):
        yield f"  --- {role}"
        yield text
    for text, reason in zip(call.answers, call.finish_reasons, strict=True):
        yield f"  --- answer, {reason or 'no finish reason'}"
        yield text


def _sent(call: Exchange) -> list[tuple[str, str]]:
    if isinstance(call.prompt, tuple):
        return [(message.role, message.content) for message in call.prompt]
    return [("prompt", call.prompt)] if call.prompt is not None else []


def _requests(requests: Requests) -> str:
    sent = "1 request" if requests.sent == 1 else f"{requests.sent} requests"
    refused = f", {requests.rate_limited} rate limited" if requests.rate_limited else ""
    return sent + refused + (f", {requests.errors} failed" if requests.errors else "")


def _line(text: str, most: int = 100) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 4]} ..."
