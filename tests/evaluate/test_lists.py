"""How one answer is counted."""

import pytest

from corpusmill.evaluate.lists import agreement, grounded_of, is_formed, items_of, right_of, shape

NONE = "None found"


@pytest.mark.parametrize(
    ("answer", "items"),
    [
        ("- Aspirin 100 mg\n- ramipril", ["Aspirin 100 mg", "ramipril"]),
        ("Here it is:\n1. Aspirin\n2. aspirin.", ["aspirin."]),
        ("none found.", []),
        ("", []),
        ('["a", "b"]', ["a", "b"]),
    ],
)
def test_items_are_read_whatever_the_form_and_told_once(answer: str, items: list[str]) -> None:
    assert items_of(answer, NONE) == items


@pytest.mark.parametrize(
    ("told", "true", "match", "right"),
    [
        (["Aspirin 100 mg daily"], ["aspirin 100 mg daily."], 1, 1),
        (["aspirin 100 mg"], ["aspirin 100 mg daily"], 0.5, 1),
        (["aspirin 100 mg"], ["aspirin 100 mg daily"], 1, 0),
        (["aspirin 200 mg daily"], ["aspirin 100 mg daily"], 0.5, 0),
        (["stable angina", "angina"], ["angina"], 0.5, 1),
        (["angina", "stable angina"], ["stable angina", "angina"], 0.5, 2),
        ([], ["angina"], 0.5, 0),
    ],
)
def test_an_item_is_right_for_one_true_item_whose_words_it_has(
    told: list[str], true: list[str], match: float, right: int
) -> None:
    assert right_of(told, true, match) == right


def test_an_item_is_grounded_where_its_words_stand_in_a_row() -> None:
    assert grounded_of(["Chest X-ray", "chest ray", "MRI"], "A chest x-ray was done.") == 1


def test_a_form_is_kept_by_every_line_or_not_at_all() -> None:
    form = r"[-*] \S.*"
    assert is_formed("- a\n\n- b", form, NONE)
    assert is_formed("None found.", form, NONE)
    assert not is_formed("Sure:\n- a", form, NONE)
    assert not is_formed("", form, NONE)


def test_draws_agree_by_what_they_list_and_look_alike_by_how() -> None:
    assert agreement(["A", "b"], ["a.", "c"]) == pytest.approx(1 / 3)
    assert agreement([], []) == 1
    assert agreement([], ["a"]) == 0
    assert shape("- a\n- b") == shape("- c") != shape("1. a")
    assert shape("Found:\n1. a\n2. b") == "a1"
