"""What a scrape looks at in the jobs that run, and what calls can fail for.

Rule of this file: it only looks, on the event loop, at what is at hand there.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from corpusmill.bootstrap.job import Running
from corpusmill.endpoint.failures import FailureKind
from corpusmill.journal.files import Disk
from corpusmill.limits.breaker import BreakerState
from corpusmill.limits.estimator import EstimatorStatistics
from corpusmill.limits.statistics import GateStatistics
from corpusmill.telemetry.metrics.counts import Counts
from corpusmill.telemetry.metrics.gauges import EstimateGauges, GateGauges, Gauges
from corpusmill.telemetry.metrics.genai import GenAi
from corpusmill.telemetry.metrics.names import GenAiNames

DOWN = frozenset({BreakerState.OPEN.value, BreakerState.PROBING.value})
"""States of a circuit breaker in which the endpoint is taken to be down."""


def new_counts(genai: GenAiNames = "off") -> Counts:
    """Return counts that know every reason for which a call can fail; `genai` adds OpenTelemetry's names."""
    reasons = [kind.value for kind in FailureKind]
    return Counts(reasons, genai=None if genai == "off" else GenAi(genai))


def look(
    runnings: Iterable[Running], gates: Mapping[str, GateStatistics], jobs: Mapping[str, int], data: Path
) -> Gauges:
    """Return what the process looks like now.

    Args:
        runnings: the jobs that run.
        gates: by the names of their endpoints.
        jobs: how many there are, by state.
        data: the data directory, which may not exist yet.
    """
    assemblies = [running.assembly for running in runnings]
    return Gauges(
        gates=tuple(_gate(name, statistics) for name, statistics in gates.items()),
        items_out=sum(assembly.schedule.out for assembly in assemblies),
        unsynced=sum(assembly.writer.unsynced for assembly in assemblies),
        jobs=jobs,
        disk_free_bytes=_free_bytes(data),
        estimates=tuple(_estimates(each for assembly in assemblies for each in assembly.caller.estimates())),
    )


def _estimates(told: Iterable[tuple[str, EstimatorStatistics]]) -> Iterator[EstimateGauges]:
    """Give one row for each model: the mean over its steps, each by the answers that it was judged by."""
    steps: dict[str, list[EstimatorStatistics]] = {}
    for model, each in told:
        steps.setdefault(model, []).append(each)
    for model, judged in steps.items():
        samples = sum(each.samples for each in judged)
        yield EstimateGauges(
            model,
            sum(each.error_ratio * each.samples for each in judged) / samples,
            sum(each.bias_ratio * each.samples for each in judged) / samples,
        )


def _gate(name: str, gate: GateStatistics) -> GateGauges:
    return GateGauges(
        endpoint=name,
        buckets={bucket.name: (bucket.limit, bucket.remaining) for bucket in gate.buckets},
        concurrency_limit=gate.width,
        in_flight=gate.in_flight,
        waiting=gate.queue_depth,
        breaker_open=gate.breaker in DOWN,
    )


def _free_bytes(data: Path) -> int | None:
    """Return what is free on the disk where a folder is or will be; None if that cannot be asked."""
    existing = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    try:
        return Disk().free_bytes(existing)
    except OSError:
        return None
