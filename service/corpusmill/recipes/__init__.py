"""The specs that ship with corpusmill: one folder each, with a spec of the folder's name and the files it reads.

Rule of this room: a recipe is read as it is; nothing here parses one. Its first line is a comment that says what it
makes; the comment goes on with the original that it follows, and what it mends of that.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec


class Recipe(msgspec.Struct, frozen=True):
    """A shipped spec: its name, and in one line what it makes."""

    name: str
    summary: str


def list_recipes() -> list[Recipe]:
    """All recipes, by name."""
    return [Recipe(name, recipe_text(name).partition("\n")[0].removeprefix("# ")) for name in recipe_names()]


def recipe_names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted(
        folder.name for folder in files(__name__).iterdir() if folder.joinpath(f"{folder.name}.yaml").is_file()
    )


def recipe_text(name: str) -> str:
    """The spec of a recipe, as YAML.

    Raises:
        KeyError: there is no such recipe.
    """
    return _folder(name).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def recipe_files(name: str) -> dict[str, bytes]:
    """The spec of a recipe and all it reads: file name, relative to the recipe's folder -> content.

    Raises:
        KeyError: there is no such recipe.
    """
    return dict(_files(_folder(name), ""))


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_file():
            yield f"{prefix}{each.name}", each.read_bytes()
        elif each.is_dir():
            yield from _files(each, f"{prefix}{each.name}/")


def _folder(name: str) -> Traversable:
    if name not in recipe_names():
        raise KeyError(name)
    return files(__name__).joinpath(name)
