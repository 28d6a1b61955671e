"""Amounts of money as options: what is none is refused before anything is begun."""

from pathlib import Path

import click
import pytest

from tests.cli.harness import invoke
from tests.e2e.running import write_spec


@pytest.mark.parametrize("amount", ["nan", "inf", "-1", "0", "1e10", "5$", ""])
def test_what_is_no_budget_is_a_usage_error_and_begins_nothing(tmp_path: Path, amount: str) -> None:
    spec = write_spec(tmp_path)
    refused = invoke("run", spec, "--budget-usd", amount, "--data", tmp_path / "data").exception
    assert isinstance(refused, click.BadParameter)
    assert refused.param is not None
    assert refused.param.name == "budget_usd"
    assert list(tmp_path.iterdir()) == [spec]


def test_what_is_no_price_is_a_usage_error() -> None:
    refused = invoke("finetune", "job", "--model", "m", "--usd-per-million-tokens", "nan").exception
    assert str(refused) == "'nan' is no amount of money."
