"""The gate against a rate limiter of somebody else's making: LiteLLM's proxy, over real sockets (`make litellm`)."""

import pytest

from benchmarks.limits.litellm import ENVIRONMENT, SERVERS, is_installed, run_litellm_row


@pytest.mark.skipif(
    not is_installed(), reason=f"{ENVIRONMENT.name} is not there; `make litellm` makes it and runs this"
)
@pytest.mark.parametrize("name", SERVERS)
def test_the_proxy_is_kept_at_what_it_allows_and_refuses_next_to_nothing(name: str) -> None:
    row = run_litellm_row(name)
    assert row.failed <= 0.01 * row.requests, row
    assert row.utilisation >= 0.98, row
    assert row.refused <= 0.005 * row.requests, row
