"""What two verdicts on a pair come to, and what all pairs do."""

import json
import math
from collections.abc import Iterator

import pytest

from corpusmill.evaluate.answers import Answer
from corpusmill.evaluate.intervals import compare
from corpusmill.evaluate.judge import read_pairs, read_scores
from corpusmill.evaluate.judgement import judgement_of, preference_of
from corpusmill.evaluate.spec import Judge

JUDGE = Judge("judge", "Be good.")


def answer(index: int, text: str = "mine", choice: int = 0) -> Answer:
    return Answer(index, choice, f"item {index}", f"note {index}", text, [], 0, 0, 0, False)


def verdicts(*told: tuple[int, str, str]) -> Iterator[bytes]:
    """The lines of a judge's job: index, what it said in the given order, and with the positions swapped."""
    for index, *said in told:
        for order, verdict in zip(("given", "swapped"), said, strict=True):
            values = {"order": order, "row": f"{index}:0"}
            if verdict:
                line = {"id": f"j:{index}", "index": index, "example": "verdict", "values": values}
                yield json.dumps({**line, "prompt": "", "completion": verdict}).encode()


@pytest.mark.parametrize(
    ("given", "swapped", "outcome", "contradicted", "first"),
    [
        ("A", "B", 1, False, 1),
        ("B", "A", -1, False, 1),
        ("tie", "tie", 0, False, 0),
        ("A", "A", 0, True, 2),
        ("B", "B", 0, True, 0),
        ("A", "tie", 0, True, 1),
        ("tie", "B", 0, True, 0),
    ],
)
def test_a_pair_is_won_where_both_orders_say_so(
    given: str, swapped: str, outcome: int, contradicted: bool, first: int
) -> None:
    (pair,), unjudged = read_pairs(verdicts((0, given, swapped)), JUDGE, [answer(0)], [answer(0, "other")])
    assert (pair.outcome, pair.contradicted, pair.first, unjudged) == (outcome, contradicted, first, 0)


def test_what_is_the_same_ties_unasked_and_half_a_verdict_is_none() -> None:
    mine = [answer(0, "same "), answer(1), answer(2), answer(3, "")]
    others = [answer(0, "same"), answer(1, "x"), answer(2, "x"), answer(3, "x")]
    pairs, unjudged = read_pairs(verdicts((1, "A", ""), (2, "A", "B")), JUDGE, mine, others)
    assert [(pair.cluster, pair.asked, pair.outcome) for pair in pairs] == [("note 0", False, 0), ("note 2", True, 1)]
    assert unjudged == 1, "silence is no pair"


def test_of_each_item_so_many_draws_are_judged() -> None:
    judge = Judge("judge", "Be good.", draws=2)
    draws = [answer(0, "a", choice) for choice in range(3)]
    others = [answer(0, "a", choice) for choice in range(3)]
    assert len(read_pairs([], judge, draws, others)[0]) == 2


def test_scores_are_shares_of_the_scale_and_silence_has_the_least() -> None:
    judge = Judge("judge", "Be good.", asks="score", between=[1, 5])
    lines = verdicts((0, "5", ""), (1, "2", ""))
    scores, unjudged = read_scores(lines, judge, [answer(0), answer(1), answer(2, " "), answer(3)])
    assert scores == {(0, 0): 1.0, (1, 0): 0.25, (2, 0): 0.0}
    assert unjudged == 1


def test_a_judge_that_always_names_the_first_prefers_nobody() -> None:
    mine, others = [answer(n) for n in range(40)], [answer(n, "other") for n in range(40)]
    pairs, _ = read_pairs(verdicts(*((n, "A", "A") for n in range(40))), JUDGE, mine, others)
    clusters = sorted(each.cluster for each in mine)
    found = judgement_of("mine", "others", pairs, 0, clusters, seed=0)
    assert (found.tied.estimate, found.contradicted.estimate, found.first.estimate) == (1, 1, 1)
    sides = preference_of(pairs, clusters)
    assert compare(sides.won, sides.lost).p_value == 1


def test_the_other_way_round_the_same_is_found_mirrored() -> None:
    told = [(n, *(("A", "B") if n % 3 else ("B", "A") if n % 2 else ("tie", "A"))) for n in range(60)]
    mine, others = [answer(n) for n in range(60)], [answer(n, "other") for n in range(60)]
    clusters = sorted(each.cluster for each in mine)
    back = {"A": "B", "B": "A", "tie": "tie"}
    one = preference_of(read_pairs(verdicts(*told), JUDGE, mine, others)[0], clusters)
    mirrored = [(n, back[given], back[swapped]) for n, given, swapped in told]
    other = preference_of(read_pairs(verdicts(*mirrored), JUDGE, others, mine)[0], clusters)
    first, second = compare(one.won, one.lost), compare(other.won, other.lost)
    assert first.p_value == second.p_value < 0.05
    assert first.difference.estimate == -second.difference.estimate
    assert math.isclose(first.difference.low, -second.difference.high, abs_tol=1e-9)
