"""The shipped recipes: as large as their originals, and whole from end to end."""

import json
from pathlib import Path

import pytest

from corpusmill.recipes import recipe_names, recipe_text
from tests.cli.harness import output
from tests.recipes.rehearsal import ABERRATIONS, rehearse

SPACES = {
    "movie-scripts": 200,
    "plots": 1_944,
    "raspberry": 337_500,
    "scenes": 693,
    "synopses": 333_961_056_000,
}
"""The counts of the originals, and of the documents that are shipped."""

STEPS = {"movie-scripts": 2, "plots": 1, "raspberry": 3, "scenes": 2, "synopses": 4}

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
