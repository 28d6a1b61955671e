import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.endpoint.retry_after import MAX_SECONDS, retry_after_seconds

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry-after-ms": "250"}, "", 0.25),
        ({"retry-after-ms": "250", "retry-after": "3"}, "try again in 9s", 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, "", 3.0),
        ({"retry-after": "1.5"}, "try again in 9s", 1.5),
        ({"retry-after": "0"}, "", 0.0),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, "", 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 -0000"}, "", 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 23:13:50 +0100"}, "", 30.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, "", None),
        # the server's clock is an hour ahead of ours, then an hour behind
        ({"retry-after": formatdate(NOW + 3630, usegmt=True), "date": formatdate(NOW + 3600, usegmt=True)}, "", 30.0),
        ({"retry-after": formatdate(NOW - 3570, usegmt=True), "date": formatdate(NOW - 3600, usegmt=True)}, "", 30.0),
        ({"retry-after": formatdate(NOW + 30, usegmt=True), "date": "yesterday"}, "", 30.0),
        ({"retry-after": "-1"}, "", None),
        ({"retry-after": "-1"}, "try again in 2s", 2.0),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "inf"}, "", None),
        ({"retry-after": "1e999"}, "", None),
        ({"retry-after": "never"}, "", None),
        ({"retry-after": ""}, "", None),
        ({"retry-after": "999999999"}, "", MAX_SECONDS),
        ({}, "Please try again in 1.2s.", 1.2),
        ({}, "Please try again in 12ms. Visit", 0.012),
        ({}, "Please try again in 6m0s.", 360.0),
        ({}, "Please try again in 23h18m29.144s", 23 * 3600 + 18 * 60 + 29.144),
        ({}, "Try again in 7 minutes.", 420.0),
        ({}, "Please retry after 6 seconds.", 6.0),
        ({}, "Please retry in 34.5s.", 34.5),
        ({}, "try again in 3d", MAX_SECONDS),
        ({}, "try again in a moment", None),
        ({}, "try again in 5 moons", None),
        ({}, "try again in 5", None),
        ({}, "", None),
    ],
)
def test_the_most_exact_source_wins(headers: dict[str, str], message: str, seconds: float | None) -> None:
    assert retry_after_seconds(headers, message, NOW) == (pytest.approx(seconds) if seconds is not None else None)


@given(
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text() | st.floats().map(str)
    ),
    message=st.text() | st.from_regex(r"(try again|retry) (in|after) [0-9dhms. ]*"),
    now=st.floats(0, 4e9),
)
def test_whatever_comes_is_a_bounded_wait_or_none(headers: dict[str, str], message: str, now: float) -> None:
    seconds = retry_after_seconds(headers, message, now)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS)


@given(milliseconds=st.integers(0, 86_400_000))
def test_milliseconds_and_seconds_agree(milliseconds: int) -> None:
    exact = retry_after_seconds({"retry-after-ms": str(milliseconds)}, "", NOW)
    assert exact == pytest.approx(retry_after_seconds({"retry-after": str(milliseconds / 1000)}, "", NOW))
    hours, rest = divmod(milliseconds, 3_600_000)
    worded = f"Please try again in {hours}h{rest // 60_000}m{rest % 60_000 / 1000}s."
    assert exact == pytest.approx(retry_after_seconds({}, worded, NOW))
