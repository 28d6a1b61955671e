"""Lines that come again and again: rationed by kind, and no count lost."""

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.telemetry.repeats import BURST, KEYS_MOST, OTHERS, REFILL_SECONDS, Repeats

KEY = ("plots", "call_failed", "timeout")


def test_a_few_are_told_at_once_then_one_for_each_interval_with_how_many_were_silent() -> None:
    repeats = Repeats()
    told = [repeats.admit(KEY, tenth / 10) for tenth in range(600)]
    first, *later = [(tenth / 10, suppressed) for tenth, suppressed in enumerate(told) if suppressed is not None]
    assert first == (0.0, 0)
    assert later[: BURST - 1] == [(tenth / 10, 0) for tenth in range(1, BURST)]
    rest = later[BURST - 1 :]
    assert [round(at / REFILL_SECONDS) for at, _ in rest] == [1, 2, 3, 4, 5]
    assert all(suppressed in (95, 96, 99, 100) for _, suppressed in rest)


def test_after_a_long_silence_a_few_are_told_at_once_again() -> None:
    repeats = Repeats()
    assert sum(repeats.admit(KEY, 0.0) is not None for _ in range(50)) == BURST
    assert sum(repeats.admit(KEY, 1e6) is not None for _ in range(50)) == BURST


def test_one_kind_never_silences_another() -> None:
    repeats = Repeats()
    for _ in range(100):
        repeats.admit(KEY, 0.0)
    for other in (("other", *KEY[1:]), (KEY[0], "shard_sealed", KEY[2]), (*KEY[:2], "reset")):
        assert repeats.admit(other, 0.0) == 0


def test_the_end_of_a_job_tells_its_counts_and_forgets_it_alone() -> None:
    repeats = Repeats()
    other = ("other", *KEY[1:])
    for _ in range(BURST + 3):
        repeats.admit(KEY, 0.0)
        repeats.admit(other, 0.0)
    assert list(repeats.ended("plots")) == [(KEY, 3)]
    assert list(repeats.ended("plots")) == []
    assert list(repeats.all_ended()) == [(other, 3)]
    assert len(repeats) == 0


@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(0, 30), st.integers(1, 9)), min_size=1, max_size=100),
    st.integers(0, 2),
)
def test_every_line_is_told_or_counted_once_in_bounded_room(steps: list[tuple[int, float, int]], floods: int) -> None:
    repeats, now, answers = Repeats(), 0.0, list[int | None]()
    for kind, pause, times in steps:
        now += pause
        answers += [repeats.admit(("plots", "item_broken", str(kind)), now) for _ in range(times)]
    for number in range(floods * KEYS_MOST):
        answers.append(repeats.admit(("plots", "item_broken", f"another {number}"), now))
        assert len(repeats) <= KEYS_MOST
    left = dict(repeats.all_ended())
    counted = sum(answer for answer in answers if answer is not None) + sum(left.values())
    assert counted == answers.count(None)
    assert not floods or set(left) <= {OTHERS}
