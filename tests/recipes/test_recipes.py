"""The shipped recipes: as large as their originals, and whole from end to end."""

import json
from pathlib import Path

import pytest

from corpusmill.recipes import recipe_files, recipe_names, recipe_text
from tests.cli.harness import output
from tests.recipes.notes import write as write_notes
from tests.recipes.rehearsal import ABERRATIONS, rehearse

SPACES = {
    "beats": 6 * 3,
    "core-objective-functions": 15 * 4 * 2,
    "customer-dialogues": 25 * 6,
    "distillation": 10 * 5 * 4 * 5,
    "medical-loop": 140 * 4,
    "medical-notes": 14 * 4,
    "movie-scripts": 200,
    "novel-fold": 3 + 3,
    "personas": 10 * 8 * 8 * 8 * 8 * 8 * 6**12,
    "plots": 1_944,
    "questions": 15 * 4,
    "raspberry": 337_500,
    "scenes": 693,
    "self-instruct": 30**3,
    "synopses": 333_961_056_000,
    "tutor-dialogues": 56 * 3 * 4,
    "writing-coach": 6 * 3 * 2,
}
"""The counts of the originals, and of the documents that are shipped; before `where` leaves combinations out."""

ERRORS = {name: rate for name, rate in ABERRATIONS.items() if name not in ("hang", "http_503", "rate_limit")}
"""Those after which nobody has to wait long."""


def test_spaces_are_as_large_as_those_of_the_originals() -> None:
    assert {row["name"]: row["space"] for row in json.loads(output("recipes", "list", "--json"))} == SPACES


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_adds_up_on_an_endpoint_that_errs(tmp_path: Path, name: str) -> None:
    rehearsal = rehearse(name, tmp_path, 12, ERRORS)
    assert rehearsal.problems() == []


def test_every_recipe_is_in_the_documentation() -> None:
    rows = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text().splitlines()
    assert set(recipe_names()) <= {row.split("`")[1] for row in rows if row.startswith("| `")}


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_says_what_it_makes_what_it_follows_and_what_it_mends(name: str) -> None:
    head = recipe_text(name).partition("\nname:")[0]
    assert head.startswith("# ")
    assert "Follows " in head
    assert "mends" in head


def test_the_notes_of_the_loop_are_two_hundred_of_our_own_and_no_note_is_on_both_sides(tmp_path: Path) -> None:
    write_notes(tmp_path)
    shipped = recipe_files("medical-loop")
    sides = {name: shipped[name] for name in ("training.jsonl", "heldout.jsonl")}
    assert {name: (tmp_path / name).read_bytes() for name in sides} == sides
    texts = [json.loads(line)["text"] for content in sides.values() for line in content.splitlines()]
    assert len(texts) == len(set(texts)) == 200


def test_what_a_note_does_not_name_is_none_found(tmp_path: Path) -> None:
    corpus = rehearse("medical-notes", tmp_path, None, {}, invented_share=0.2).corpus
    answers = {(line["values"]["note"], line["values"]["task"].partition(":")[0]): line for line in corpus}
    assert "amlodipine 5 mg daily" in answers["notes/01-clinic.txt", "MEDICATION"]["completion"]
    assert all(line["prompt"].endswith(f"LIST ALL {task}:") for (_, task), line in answers.items())
    assert {line["completion"] for (note, _), line in answers.items() if "school" in note} <= {" None Found"}
    empty = sum(line["completion"] == " None Found" for line in corpus)
    assert 0.15 < empty / len(corpus) < 0.35


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


def test_the_four_forms_of_a_request_are_a_quarter_each(tmp_path: Path) -> None:
    prompts = [line["prompt"] for line in rehearse("synopses", tmp_path, 80, {}).corpus]
    assert all(prompt.endswith("\n\nSYNOPSIS:") for prompt in prompts)
    ideas = sum(prompt.startswith("Story idea: ") for prompt in prompts) / len(prompts)
    keywords = sum(prompt.startswith("Keywords: ") for prompt in prompts) / len(prompts)
    assert ideas == pytest.approx(0.25, abs=0.08)
    assert keywords == pytest.approx(0.25, abs=0.08)


def test_each_reply_of_a_tutor_is_a_row_that_ends_with_the_pupils_words(tmp_path: Path) -> None:
    corpus = rehearse("tutor-dialogues", tmp_path, 6, {}).corpus
    items = {line["index"] for line in corpus}
    assert len(corpus) >= 2 * 2 * len(items)
    for line in corpus:
        *_, asked, cue = line["prompt"].split("\n")
        assert (asked.split(":")[0], cue) == ("USER", "TIM:")
        assert "USER:" not in line["completion"]


def test_customers_take_turns_until_they_are_content(tmp_path: Path) -> None:
    corpus = rehearse("customer-dialogues", tmp_path, 25, {}).corpus
    talks = [line["prompt"].splitlines()[:-1] for line in corpus if line["example"] == "picture"]
    assert any(talk[-1] == "CUSTOMER: ALL DONE" for talk in talks)
    for talk in talks:
        names = [turn.split(":")[0] for turn in talk]
        assert names == [("CUSTOMER", "ASSISTANT")[place % 2] for place in range(len(talk))]
        assert 3 <= len(talk) <= 12


def test_the_answer_of_a_novel_is_the_books_own_next_chunk(tmp_path: Path) -> None:
    corpus = rehearse("novel-fold", tmp_path, None, {}).corpus
    books = {
        name: content.decode() for name, content in recipe_files("novel-fold").items() if name.startswith("books/")
    }
    for line in corpus:
        book = " ".join(books[line["values"]["book"].partition("#")[0]].split())
        chunk = " ".join(line["completion"].removesuffix(" END").split())
        last = " ".join(line["prompt"].partition("Last chunk:")[2].removesuffix("Next chunk:").split())
        assert f"{last} {chunk}" in book
    assert {line["values"]["book"].partition("#")[0] for line in corpus} == set(books)


def test_a_student_learns_good_answers_without_the_teachers_instructions(tmp_path: Path) -> None:
    corpus = rehearse("distillation", tmp_path, 20, {}).corpus
    taught = [line for line in corpus if line["example"] == "taught"]
    assert {tuple(message["role"] for message in line["messages"]) for line in taught} == {("user", "assistant")}
    preferred = [line for line in corpus if line["example"] == "preferred"]
    assert preferred
    assert all(line["chosen"] != line["rejected"] for line in preferred)


def test_of_each_new_task_an_instance_is_made(tmp_path: Path) -> None:
    corpus = rehearse("self-instruct", tmp_path, 5, {}).corpus
    assert len(corpus) >= 5 * 8
    assert all([message["role"] for message in line["messages"]] == ["user", "assistant"] for line in corpus)
