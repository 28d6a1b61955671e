"""The shipped recipes: as large as their originals, and whole from end to end."""

import json
from pathlib import Path

import pytest

from corpusmill.recipes import recipe_names, recipe_text
from tests.cli.harness import output
from tests.recipes.rehearsal import ABERRATIONS, rehearse

SPACES = {
    "beats": 6 * 3,
    "core-objective-functions": 15 * 4 * 2,
    "medical-notes": 14 * 4,
    "movie-scripts": 200,
    "plots": 1_944,
    "questions": 15 * 4,
    "raspberry": 337_500,
    "scenes": 693,
    "synopses": 333_961_056_000,
    "writing-coach": 6 * 3 * 2,
}
"""The counts of the originals, and of the documents that are shipped."""

ERRORS = {name: rate for name, rate in ABERRATIONS.items() if name not in ("hang", "http_503", "rate_limit")}
"""Those after which nobody has to wait long."""


@pytest.mark.parametrize("name", SPACES)
def test_a_space_is_as_large_as_the_originals(name: str) -> None:
    rows = {row["name"]: row["space"] for row in json.loads(output("recipes", "list", "--json"))}
    assert rows[name] == SPACES[name]


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_adds_up_on_an_endpoint_that_errs(tmp_path: Path, name: str) -> None:
    rehearsal = rehearse(name, tmp_path, 12, ERRORS)
    assert rehearsal.problems() == []


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_says_what_it_makes_what_it_follows_and_what_it_mends(name: str) -> None:
    head = recipe_text(name).partition("\nname:")[0]
    assert head.startswith("# ")
    assert "Follows " in head
    assert "mends" in head


def test_what_a_note_does_not_name_is_none_found(tmp_path: Path) -> None:
    corpus = rehearse("medical-notes", tmp_path, None, {}, invented_share=0.2).corpus
    answers = {(line["values"]["note"], line["values"]["task"].partition(":")[0]): line for line in corpus}
    assert answers["notes/08-school.txt", "MEDICATION"]["completion"] == " None Found"
    assert answers["notes/08-school.txt", "MEDICATION"]["prompt"].endswith("LIST ALL MEDICATION:")
    assert "amlodipine 5 mg daily" in answers["notes/01-clinic.txt", "MEDICATION"]["completion"]
    empty = sum(line["completion"] == " None Found" for line in corpus)
    assert 0.2 < empty / len(corpus) < 0.6


def test_the_third_function_is_a_chain_whose_parts_stay_aligned(tmp_path: Path) -> None:
    corpus = rehearse("core-objective-functions", tmp_path, 8, {}).corpus
    items: dict[int, dict[str, int]] = {line["index"]: {} for line in corpus}
    for line in corpus:
        items[line["index"]][line["example"]] = line["completion"].count("\n- ")
    tasks = {"reduce_suffering", "increase_prosperity", "increase_understanding", "answers", "specifics"}
    assert all(set(counts) == tasks for counts in items.values())
    for counts in items.values():
        assert counts["increase_understanding"] == counts["answers"] == counts["specifics"] >= 3
        assert counts["reduce_suffering"] >= 5


def test_questions_are_topped_up_to_four_and_all_ask(tmp_path: Path) -> None:
    for line in rehearse("questions", tmp_path, None, {}).corpus:
        questions = line["completion"].strip().splitlines()[:-1]
        assert len(questions) >= 4
        assert all(question.startswith("- ") and question.endswith("?") for question in questions)


def test_stories_are_whole_in_the_corpus_and_no_bot_wrote_one(tmp_path: Path) -> None:
    rehearsal = rehearse("writing-coach", tmp_path, None, {})
    prompts = {line["values"]["story"]: line["prompt"] for line in rehearsal.corpus}
    assert set(prompts) == {"w1", "w2", "w3", "w4", "w5", "w6"}
    assert max(map(len, prompts.values())) > 5_000
    assert not any("TRUNCATED" in prompt for prompt in prompts.values())


def test_of_what_was_listed_of_a_note_nothing_invented_is_left(tmp_path: Path) -> None:
    corpus = rehearse("medical-notes", tmp_path, None, {}, invented_share=0.4).corpus
    for line in corpus:
        note, answer = line["prompt"].lower(), line["completion"].strip()
        for item in answer.split("; ") if answer != "None Found" else ():
            assert item.lower() in note
