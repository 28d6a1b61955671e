"""The shipped specs: each is sound, and says what it is."""

import pytest

from corpusmill.recipes import list_recipes, recipe_files, recipe_names, recipe_text
from corpusmill.spec.checks import check_spec
from corpusmill.spec.load import parse_spec
from corpusmill.spec.template import compile_template


def test_every_recipe_is_sound_and_named_as_its_folder() -> None:
    recipes = list_recipes()
    assert [recipe.name for recipe in recipes] == recipe_names() == sorted(recipe_names())
    for recipe in recipes:
        assert recipe.summary
        assert not recipe.summary.startswith("#")
        spec = parse_spec(recipe_text(recipe.name).encode(), "yaml")
        check_spec(spec)
        assert spec.name == recipe.name
        assert recipe_files(recipe.name)[f"{recipe.name}.yaml"] == recipe_text(recipe.name).encode()


@pytest.mark.parametrize("name", ["", "none", "..", "../spec", "plots/plots.yaml", "__pycache__"])
def test_there_is_no_other_recipe(name: str) -> None:
    with pytest.raises(KeyError):
        recipe_text(name)
    with pytest.raises(KeyError):
        recipe_files(name)


def test_the_plots_recipe_has_the_space_and_the_forms_of_its_model() -> None:
    spec = parse_spec(recipe_text("plots").encode(), "yaml")
    sizes = {name: len(values) for name, values in spec.space.axes.items() if isinstance(values, list)}
    assert sizes == {"genre": 6, "modifier": 6, "place": 9, "period": 6}
    assert spec.space.limit == 501
    values = {"genre": "G", "modifier": "M", "place": "P", "period": "T", "nonce": "N", "plot": "It ends."}
    outline, chat = spec.examples
    assert outline.prompt is not None
    assert compile_template(outline.prompt).render(values) == (
        "Genre: G\nLocation: P\nPeriod: T\nModifier: M\n\nPLOT OUTLINE:"
    )
    assert outline.completion == " {{ plot }} END"
    assert [message.role for message in chat.messages or ()] == ["user", "assistant"]
    assert compile_template(spec.steps[0].prompt).render(values).startswith("N\n")
