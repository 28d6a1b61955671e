"""What a scrape of the daemon sees: what was counted, and what its jobs and gates look like now."""

from collections.abc import Mapping
from pathlib import Path

from corpusmill.bootstrap.gauges import look
from corpusmill.daemon.mill import Mill
from corpusmill.telemetry.metrics.counts import Counts
from corpusmill.telemetry.metrics.exposition import Exposition
from corpusmill.telemetry.metrics.gauges import Gauges


class Metrics:
    """The metrics of a daemon.

    Args:
        mill: runs the jobs.
        counts: takes events.
        data: the data directory.
    """

    def __init__(self, mill: Mill, counts: Counts, data: Path) -> None:
        self._mill, self._data = mill, data
        self._exposition = Exposition(counts, self._look)
        self._jobs: dict[str, int] = {}

    async def scrape(self, accept_encoding: str) -> tuple[bytes, Mapping[str, str]]:
        """Return the metrics in Prometheus' text format, and their headers."""
        self._jobs = {state.value: count for state, count in (await self._mill.table.counts()).items()}
        return (await self._exposition.scrape()).answer(accept_encoding)

    def _look(self) -> Gauges:
        return look(self._mill.runnings, self._mill.gates(), self._jobs, self._data)
