import json
from pathlib import Path

import pytest

from corpusmill.recipes import recipe_files, recipe_names, recipe_text
from tests.cli.harness import invoke, output, refused


def test_the_list_has_every_recipe_with_its_summary_and_size() -> None:
    rows = json.loads(output("recipes", "list", "--json"))
    assert [row["name"] for row in rows] == recipe_names()
    assert all(list(row) == ["name", "summary", "space"] for row in rows)
    assert all(row["summary"] and isinstance(row["space"], int) and row["space"] > 0 for row in rows)
    assert {row["name"]: row["space"] for row in rows}["plots"] == 6 * 6 * 9 * 6


def test_bare_recipes_lists_them() -> None:
    told = output("recipes")
    assert told == output("recipes", "list")
    assert [line.split()[0] for line in told.splitlines()] == recipe_names()
    assert "1,944" in told


@pytest.mark.parametrize("name", recipe_names())
def test_show_prints_the_spec_as_it_is(name: str) -> None:
    assert output("recipes", "show", name) == recipe_text(name)


@pytest.mark.parametrize("name", recipe_names())
def test_a_copy_is_all_that_a_plan_needs_and_says_what_comes_next(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "new" / "folder"
    told = output("recipes", "copy", name, folder)
    copied = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert copied == recipe_files(name)
    assert told.splitlines()[-1] == f"next: corpusmill plan {folder / f'{name}.yaml'}"
    plan = json.loads(output("plan", folder / f"{name}.yaml", "--json"))
    sizes = {row["name"]: row["space"] for row in json.loads(output("recipes", "list", "--json"))}
    assert plan["space"] == sizes[name]


def test_a_copy_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "plots.yaml").write_text("mine")
    told = refused("recipes", "copy", "plots", tmp_path)
    assert told.endswith("plots.yaml is there already; choose another folder, or remove it")
    assert (tmp_path / "plots.yaml").read_text() == "mine"


def test_what_cannot_be_written_and_what_is_not_there_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written: " in str(invoke("recipes", "copy", "plots", tmp_path / "file").exception)
    assert refused("recipes", "show", "plot") == "corpusmill: there is no recipe `plot`; did you mean `plots`?"
    assert "no recipe `x`" in str(invoke("recipes", "copy", "x", tmp_path).exception)
