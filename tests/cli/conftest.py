from tests.jobs.conftest import data

__all__ = ["data"]
