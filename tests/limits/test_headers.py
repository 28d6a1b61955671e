"""What headers say, and what they are not believed to say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from corpusmill.limits.charge import Kind
from corpusmill.limits.headers import HeaderReader, duration_seconds

REQUESTS = {
    "x-ratelimit-limit-requests": "5000",
    "x-ratelimit-remaining-requests": "4999",
    "x-ratelimit-reset-requests": "12ms",
}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("4m12.172s", 252.172),
        ("23h18m29.144s", 83909.144),
        ("1d2h", 93600.0),
        ("59.5", 59.5),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-5s", 0.0),
        ("2026-01-01T00:00:00Z", None),
        ("1" * 60, None),
        ("inf", None),
        ("nan", None),
        ("1e999s", None),
        (None, None),
    ],
)
def test_durations(text: str | None, seconds: float | None) -> None:
    assert duration_seconds(text) == pytest.approx(seconds)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    seconds = duration_seconds(text)
    assert seconds is None or 0 <= seconds < math.inf
    HeaderReader().read(dict.fromkeys(REQUESTS, text))


def test_limit_used_and_reset_are_read_in_any_case() -> None:
    readings = HeaderReader().read(CIMultiDict({name.title(): value for name, value in REQUESTS.items()}))
    assert [(row.kind, row.limit, row.used) for row in readings] == [(Kind.REQUESTS, 5000, 1)]
    assert readings[0].reset_seconds == pytest.approx(0.012)


@pytest.mark.parametrize(("limit", "remaining"), [("0", "0"), ("-1", "0"), ("10", "11"), ("10", "-1"), ("10", "")])
def test_impossible_figures_say_nothing(limit: str, remaining: str) -> None:
    headers = {"x-ratelimit-limit-tokens": limit, "x-ratelimit-remaining-tokens": remaining}
    assert HeaderReader().read(headers) == []


def test_a_period_in_the_name_is_taken_over() -> None:
    headers = {
        "x-ratelimit-limit-requests-day": "14400",
        "x-ratelimit-remaining-requests-day": "14370",
        "x-ratelimit-reset-requests-day": "33011.382",
        "x-ratelimit-limit-tokens-minute": "60000",
        "x-ratelimit-remaining-tokens-minute": "60000",
    }
    readings = HeaderReader().read(headers)
    assert [(row.kind, row.period_seconds) for row in readings] == [(Kind.TOKENS, 60.0), (Kind.REQUESTS, 86400.0)]


def test_headers_that_come_late_are_found_all_the_same() -> None:
    reader = HeaderReader()
    for _ in range(100):
        assert reader.read({"content-type": "application/json"}) == []
    assert any(reader.read(REQUESTS) for _ in range(64))


def test_each_scope_that_a_gateway_names_is_a_limit_of_its_own() -> None:
    headers = {
        "X-RateLimit-api_key-limit-tokens": "600000",
        "X-RateLimit-api_key-remaining-tokens": "598483",
        "X-RateLimit-model_per_key-limit-requests": "100",
        "X-RateLimit-model_per_key-remaining-requests": "98",
        "X-RateLimit-api_key-limit-max_parallel_requests": "10",
    }
    readings = HeaderReader().read(CIMultiDict(headers))
    assert {(row.name.lower(), row.kind, row.limit, row.used) for row in readings} == {
        ("api_key-tokens", Kind.TOKENS, 600_000, 1517),
        ("model_per_key-requests", Kind.REQUESTS, 100, 2),
    }


def test_a_server_that_names_scopes_without_end_is_not_followed_without_end() -> None:
    headers = {f"x-ratelimit-scope{n}-{part}-tokens": "5" for n in range(1000) for part in ("limit", "remaining")}
    assert len(HeaderReader().read(headers)) == 8
