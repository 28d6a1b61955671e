from pathlib import Path

import pytest

from corpusmill.spec.schema import Limits, Shards
from tests.jobs.harness import UNHURRIED, run, spec_of


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with three jobs: finished, finished and compressed, and interrupted twice."""
    folder = tmp_path_factory.mktemp("jobs")
    run(spec_of(), folder)
    run(spec_of(name="packed", shards=Shards(records=50, compress="zstd")), folder)
    broken_off = spec_of(name="broken-off", limits=Limits(concurrency=2))
    run(broken_off, folder, stop_after=55, options=UNHURRIED)
    run(broken_off, folder, stop_after=5, options=UNHURRIED)
    return folder
