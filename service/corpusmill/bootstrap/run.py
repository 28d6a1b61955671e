"""Runs one job to its end in a process of its own.

Rule of this file: nothing is created before the endpoints have answered.
"""

import gc
import resource
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from corpusmill.bootstrap.job import Watch, carry_job
from corpusmill.bootstrap.switchboard import Switchboard
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.config import EndpointConfig
from corpusmill.jobs.summary import Summary
from corpusmill.space.documents.places import Base
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import Emit

COLLECT = (200_000, 100, 1000)
"""New objects before a look at the youngest; looks before one at the older, and at all: the calls leave few cycles."""

SIMULATED = "simulated"
"""The name of the endpoint that invents its text."""

SIMULATED_LATENCY_SECONDS = 0.4
"""Mean time to an answer of the simulated endpoint that `run` starts by itself: quick, but to be watched."""


async def run_job(
    spec: JobSpec,
    data: Path,
    upstream: Upstream,
    *,
    environ: Mapping[str, str],
    emit: Emit,
    watch: Watch,
    base: Base | None = None,
) -> Summary:
    """Run a job, or what is left of it, to its end.

    Args:
        spec: checked, with axis files inlined.
        data: the data directory.
        upstream: how model aliases are resolved; without a default endpoint the simulated one is started.
        environ: where keys, proxies and certificate authorities are read from.
        emit: takes events.
        watch: entered while the job runs.
        base: where its documents may lie.

    Raises:
        UpstreamError, ConfigError, SpecError, JobFolderError, JournalError: nothing was begun; the message says why.
    """
    prepare_process()
    async with (
        Switchboard(upstream, environ, spec.limits) as switchboard,
        switchboard.routes(spec.name, spec) as routes,
    ):
        endpoint = _names(upstream)
        return await carry_job(spec.name, spec, data, routes, endpoint=endpoint, emit=emit, watch=watch, base=base)


def prepare_process() -> None:
    """Set this process up for many calls at once."""
    _allow_open_files()
    _collect_seldom()


@asynccontextmanager
async def simulated_target() -> AsyncIterator[Target]:
    """Serve the simulated endpoint on loopback, over real HTTP, while the block runs."""
    from corpusmill.simulate import SimulateOptions, serving  # noqa: PLC0415 - only a run without an endpoint needs it

    options = SimulateOptions(latency_seconds=SIMULATED_LATENCY_SECONDS, latency_spread=0.3)
    async with serving(options) as base_url:
        yield Target(SIMULATED, EndpointConfig(base_url=base_url))


def _allow_open_files() -> None:
    """Raise the soft limit of open files to the hard one: a connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _collect_seldom() -> None:
    """Look for garbage cycles seldom: with 10,000 calls out, each look at what is alive costs more than the calls."""
    gc.freeze()
    gc.set_threshold(*COLLECT)


def _names(upstream: Upstream) -> str:
    default = upstream.default
    return default.endpoint.base_url if default is not None else ", ".join(upstream.config.endpoints)
