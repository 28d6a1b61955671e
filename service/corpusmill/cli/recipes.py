"""`corpusmill recipes`: the shipped specs, to look at and to begin with."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from corpusmill.bootstrap.assembly import space_of
from corpusmill.bootstrap.documents import sketched_documents
from corpusmill.cli.accept import accepted
from corpusmill.cli.plan_text import count_text
from corpusmill.recipes import list_recipes, recipe_files, recipe_names, recipe_text
from corpusmill.space.documents.places import Base
from corpusmill.spec.wording import hint, quoted


class RecipeError(click.ClickException):
    """The recipe cannot be shown or copied: why, and what to do."""

    exit_code = 2


@click.group(invoke_without_command=True)
@click.pass_context
def recipes(context: click.Context) -> None:
    """List the shipped specs, show one, or copy one to begin with."""
    if context.invoked_subcommand is None:
        context.invoke(list_command)


@recipes.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_command(as_json: bool = False) -> None:
    """List the recipes."""
    shipped = [(each.name, each.summary, space_size(each.name)) for each in list_recipes()]
    if as_json:
        rows = [{"name": name, "summary": summary, "space": space} for name, summary, space in shipped]
        click.echo(json.dumps(rows, ensure_ascii=False).encode())
        return
    width = max((len(name) for name, _, _ in shipped), default=0)
    for name, summary, space in shipped:
        click.echo(f"{name:<{width}}  {count_text(space):>22}  {summary}")
    click.echo("\nnext: corpusmill recipes copy NAME DIR", err=True)


@recipes.command()
@click.argument("name")
def show(name: str) -> None:
    """Print the spec of recipe NAME."""
    _require(name)
    click.echo(recipe_text(name), nl=False)


@recipes.command()
@click.argument("name")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def copy(name: str, folder: Path) -> None:
    """Write the spec of recipe NAME, and the files it reads, to DIR."""
    _require(name)
    try:
        written = _write(name, folder)
    except OSError as error:
        raise RecipeError(f"{error.filename}: cannot be written: {error.strerror}") from None
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"next: corpusmill plan {folder / f'{name}.yaml'}")


def space_size(name: str) -> int:
    """Return how many items the whole space of a recipe has; reads it as a copy is read."""
    with TemporaryDirectory() as folder:
        _write(name, Path(folder))
        path = Path(folder) / f"{name}.yaml"
        spec = accepted(path)
        with sketched_documents(spec, Base.beside(path)) as (documents, _):
            return space_of(spec, documents).size


def _require(name: str) -> None:
    names = recipe_names()
    if name not in names:
        raise RecipeError(f"there is no recipe {quoted(name)}{hint(name, names)}")


def _write(name: str, folder: Path) -> list[Path]:
    """Write a recipe's files; refuse, before the first is written, if one is there already."""
    files = {folder / relative: content for relative, content in recipe_files(name).items()}
    for path in files:
        if path.exists():
            raise RecipeError(f"{path} is there already; choose another folder, or remove it")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(files)
