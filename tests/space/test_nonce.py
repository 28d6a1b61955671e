"""The nonce: in the form of a UUID, and another one for each seed, index and attempt."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.space.nonce import nonce

SEEDS = st.integers(-(2**63), 2**63 - 1)
INDICES = st.integers(0, 10**40)
ATTEMPTS = st.integers(0, 1000)
CALLS = st.tuples(SEEDS, INDICES, ATTEMPTS)


@given(CALLS)
def test_every_uuid_parser_takes_it(call: tuple[int, int, int]) -> None:
    text = nonce(*call)
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert parsed.version == 8
    assert parsed.variant == uuid.RFC_4122


@given(CALLS, CALLS)
def test_calls_share_a_nonce_only_if_they_are_the_same(
    first: tuple[int, int, int], second: tuple[int, int, int]
) -> None:
    assert (nonce(*first) == nonce(*second)) == (first == second)


def test_the_nonces_of_a_job_are_all_different() -> None:
    calls = [(seed, index, attempt) for seed in range(3) for index in range(1000) for attempt in range(3)]
    assert len({nonce(*call) for call in calls}) == len(calls)
