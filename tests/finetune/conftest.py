from pathlib import Path

import pytest

from tests.finetune.folders import run_job


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a job with all three forms."""
    return run_job(tmp_path_factory.mktemp("trainers"))
