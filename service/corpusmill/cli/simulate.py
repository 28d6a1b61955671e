"""`corpusmill simulate`: the simulated endpoint as a process of its own.

Rule of this file: options in, one line out. The server is imported only when it is started, so that other commands
start fast.
"""

import asyncio
import errno
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from corpusmill.simulate import SimulateOptions

_OPTION_OF_FIELD = {
    "models": "--models",
    "api_key": "--api-key",
    "text_chars": "--text-chars",
    "invented_share": "--invented",
    "missed_share": "--missed",
    "sloppy_share": "--sloppy",
    "reworded_share": "--reworded",
    "tuned_share": "--tuned",
    "judge_bias_share": "--judge-bias",
    "requests_per_minute": "--rpm",
    "tokens_per_minute": "--tpm",
    "default_max_tokens": "--default-max-tokens",
    "burst_seconds": "--burst-seconds",
    "latency_seconds": "--latency",
    "latency_spread": "--latency-spread",
    "batch_sequences": "--batch",
    "hang_seconds": "--hang-seconds",
    "tuning_seconds": "--tuning-seconds",
    "faults": "--faults",
}


class InvalidOption(click.ClickException):
    """An option has a value that makes no sense."""

    exit_code = 2


@click.command(epilog="It serves until interrupted, and tells GET /stats what it was asked, admitted and refused.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8377, show_default=True, help="0 takes any free port.")
@click.option("--rpm", "requests_per_minute", type=int, help="Requests per minute; default: no limit.")
@click.option("--tpm", "tokens_per_minute", type=int, help="Tokens per minute; default: no limit.")
@click.option(
    "--accounting",
    type=click.Choice(["settle", "reserve"]),
    default="settle",
    show_default=True,
    help="Charge what a request may use, and give back what it did not (settle) or keep it (reserve).",
)
@click.option("--default-max-tokens", type=int, default=1024, show_default=True, help="Reserved without max_tokens.")
@click.option("--burst-seconds", type=float, default=60.0, show_default=True, help="Requests that can be saved up.")
@click.option("--used-up", is_flag=True, help="Begin with nothing of the limits saved up.")
@click.option("--rate-limit-headers/--no-rate-limit-headers", default=True, help="Send x-ratelimit-* or not.")
@click.option("--latency", "latency_seconds", type=float, default=0.0, help="Mean seconds to an answer.")
@click.option("--latency-spread", type=float, default=0.0, help="Sigma of its lognormal distribution; 0: no spread.")
@click.option("--batch", "batch_sequences", type=int, help="Decode so many at once, with vLLM's /metrics.")
@click.option("--tuning-seconds", type=float, default=3.0, show_default=True, help="How long a fine-tuning job takes.")
@click.option("--hang-seconds", type=float, default=600.0, show_default=True, help="How long a hang lasts at most.")
@click.option(
    "--faults",
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME=RATE[,...]",
    help="Shares of requests that go wrong, as http_500=0.05. Names: rate_limit, http_500, http_503, reset, hang, "
    "garbage, truncation, content_type, empty_choice (may succeed when asked again); refusal, length, exact_duplicate, "
    "near_duplicate, bad_request, context_length, content_filter (the same prompt always meets the same); quota, "
    "unauthorized; all stands for each but the last two.",
)
@click.option(
    "--invented",
    "invented_share",
    type=float,
    default=0.1,
    show_default=True,
    help="Of what is listed of a clinical note, the share that the note does not name.",
)
@click.option(
    "--missed", "missed_share", type=float, default=0.0, help="Of what a note names, the share that lists leave out."
)
@click.option("--sloppy", "sloppy_share", type=float, default=0.0, help="Share of such lists that have no bullets.")
@click.option(
    "--reworded",
    "reworded_share",
    type=float,
    default=0.02,
    show_default=True,
    help="Share of the true items of such lists that are told in other words.",
)
@click.option(
    "--tuned",
    "tuned_share",
    type=float,
    default=0.2,
    show_default=True,
    help="What a tuned model still has of these four shares.",
)
@click.option(
    "--judge-bias",
    "judge_bias_share",
    type=float,
    default=0.0,
    help="Asked which of two answers is better, how often it names the first, whatever it says.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides every text, fault and latency.")
@click.option("--models", default="simulated", show_default=True, help="Names it answers to, joined by commas.")
@click.option("--api-key", envvar="CORPUSMILL_SIMULATE_API_KEY", show_envvar=True, help="The only key it accepts.")
@click.option("--prompt-cache", is_flag=True, help="Report repeated beginnings of prompts as cached tokens.")
@click.option(
    "--text-chars", "--length", "text_chars", type=int, default=2500, show_default=True, help="Mean length of a plot."
)
def simulate(host: str, port: int, faults: tuple[str, ...], models: str, **settings: Any) -> None:
    """Serve an OpenAI-compatible endpoint that invents text.

    Nothing it says is true. The same seed and prompt always give the same text; limits and faults are those asked for.
    Names of real models are accepted too where their price is known.
    """
    options = _options(faults, models, settings)
    sys.exit(_run(options, host, port))


def _options(faults: tuple[str, ...], models: str, settings: dict[str, Any]) -> "SimulateOptions":
    from corpusmill.simulate import OptionError, SimulateOptions, parse_faults  # noqa: PLC0415 - imports aiohttp

    names = tuple(name.strip() for name in models.split(","))
    try:
        return SimulateOptions(models=names, faults=parse_faults(faults), **settings)
    except OptionError as error:
        raise InvalidOption(f"{_OPTION_OF_FIELD.get(error.option, error.option)}: {error.problem}") from error
    except ValueError as error:
        raise InvalidOption(f"--faults: {error}") from error


def _run(options: "SimulateOptions", host: str, port: int) -> int:
    """Serve until a signal; returns the exit code."""
    import uvloop  # noqa: PLC0415 - other commands need no loop

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(options, host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"port {port} on {host} is in use; choose another with --port, or 0 for any free one"
            ) from error
        raise click.ClickException(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


async def _serve(options: "SimulateOptions", host: str, port: int) -> int:
    from corpusmill.simulate import serving  # noqa: PLC0415 - imports aiohttp

    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, stopped, 128 + number)
    async with serving(options, host, port) as base_url:
        click.echo(f"simulated endpoint ready: {base_url} (every text is invented; Ctrl-C ends it)", err=True)
        return await stopped


def _stop(stopped: "asyncio.Future[int]", exit_code: int) -> None:
    if not stopped.done():
        stopped.set_result(exit_code)
