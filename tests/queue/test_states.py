import pytest

from corpusmill.jobs.queue.states import ENDED, TABLE, Change, IllegalChangeError, State, after

BY_HAND = (Change.PAUSE, Change.RESUME, Change.CANCEL)


def test_a_change_leads_where_the_table_says_and_nowhere_else() -> None:
    for state in State:
        for change in Change:
            if change in TABLE[state]:
                assert after(state, change) is TABLE[state][change]
            else:
                with pytest.raises(IllegalChangeError):
                    after(state, change)


def test_what_is_over_stays_over_but_for_a_failed_job_that_is_resumed() -> None:
    reachable = {(state, change) for state in ENDED for change in TABLE[state]}
    assert reachable == {(State.FAILED, Change.RESUME)}


def test_every_job_that_is_not_over_can_be_cancelled() -> None:
    assert all(Change.CANCEL in TABLE[state] for state in State if state not in ENDED)


@pytest.mark.parametrize(
    ("state", "change", "message"),
    [
        (State.FINISHED, Change.PAUSE, "a job that is finished cannot be paused; that is final"),
        (State.FAILED, Change.CANCEL, "a job that is failed cannot be cancelled; it can be resumed"),
        (State.PAUSED, Change.PAUSE, "a job that is paused cannot be paused; it can be resumed or cancelled"),
    ],
)
def test_a_refused_change_says_what_could_be_done_instead(state: State, change: Change, message: str) -> None:
    with pytest.raises(IllegalChangeError, match=f"^{message}$"):
        after(state, change)
