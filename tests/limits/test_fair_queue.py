"""Jobs share a gate by weight and class; within a job the first comes first."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from corpusmill.limits.charge import Charge
from corpusmill.limits.claim import Claim
from corpusmill.limits.fair_queue import FairQueue


def fill(queue: FairQueue[Claim], job: str, count: int) -> None:
    for _ in range(count):
        queue.push(Claim(job, Charge()))


def serve(queue: FairQueue[Claim], count: int, costs: dict[str, float]) -> list[str]:
    served = []
    for _ in range(count):
        head = queue.head()
        if head is None:
            break
        queue.pop(costs[head.job])
        served.append(head.job)
    return served


def test_equal_jobs_take_turns_though_one_came_long_before() -> None:
    queue: FairQueue[Claim] = FairQueue()
    fill(queue, "large", 1000)
    serve(queue, 500, {"large": 1.0})
    fill(queue, "small", 10)
    assert Counter(serve(queue, 20, {"large": 1.0, "small": 1.0})) == {"large": 10, "small": 10}


def test_a_job_whose_requests_cost_three_times_as_much_gets_a_third_of_the_requests() -> None:
    queue: FairQueue[Claim] = FairQueue()
    fill(queue, "long", 100)
    fill(queue, "short", 100)
    assert Counter(serve(queue, 80, {"long": 3.0, "short": 1.0})) == {"long": 20, "short": 60}


def test_weights_divide_the_service() -> None:
    queue: FairQueue[Claim] = FairQueue()
    queue.share("a", weight=3, priority=0)
    fill(queue, "a", 100)
    fill(queue, "b", 100)
    assert Counter(serve(queue, 80, {"a": 1.0, "b": 1.0})) == {"a": 60, "b": 20}


def test_a_class_of_its_own_goes_first_and_what_it_leaves_is_used() -> None:
    queue: FairQueue[Claim] = FairQueue()
    queue.share("canary", weight=1, priority=-1)
    fill(queue, "bulk", 5)
    fill(queue, "canary", 3)
    assert serve(queue, 9, {"canary": 1.0, "bulk": 1.0}) == ["canary"] * 3 + ["bulk"] * 5


def test_a_job_that_was_idle_has_saved_nothing_up() -> None:
    queue: FairQueue[Claim] = FairQueue()
    fill(queue, "idle", 1)
    serve(queue, 1, {"idle": 1.0})
    fill(queue, "busy", 500)
    serve(queue, 300, {"busy": 1.0})
    fill(queue, "idle", 100)
    assert Counter(serve(queue, 40, {"idle": 1.0, "busy": 1.0})) == {"idle": 20, "busy": 20}


def test_what_was_used_beyond_the_estimate_is_charged_later() -> None:
    queue: FairQueue[Claim] = FairQueue()
    fill(queue, "honest", 100)
    fill(queue, "heavy", 100)
    served: Counter[str] = Counter()
    for _ in range(80):
        head = queue.head()
        assert head is not None
        queue.pop(1.0)
        served[head.job] += 1
        if head.job == "heavy":
            queue.correct("heavy", 2.0)
    assert abs(served["heavy"] - 20) <= 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60), st.randoms())
def test_a_discarded_claim_is_never_served_and_the_others_are(arrivals: list[tuple[str, bool]], chance: object) -> None:
    queue: FairQueue[Claim] = FairQueue()
    claims = [(Claim(job, Charge()), is_kept) for job, is_kept in arrivals]
    for claim, _ in claims:
        queue.push(claim)
    for claim, is_kept in claims:
        if not is_kept:
            queue.discard(claim)
    served = []
    while (head := queue.head()) is not None:
        queue.pop(1.0)
        served.append(head)
    assert len(queue) == 0
    for job in "abc":
        kept = [claim for claim, is_kept in claims if is_kept and claim.job == job]
        assert [claim for claim in served if claim.job == job] == kept


def test_thousands_of_jobs_that_came_and_went_are_forgotten() -> None:
    queue: FairQueue[Claim] = FairQueue()
    for number in range(5000):
        fill(queue, f"job-{number}", 1)
        serve(queue, 1, {f"job-{number}": 1.0})
    assert len(queue._lanes) < 600
