"""The entry point: finds the command, runs it, and turns errors into one line and an exit code.

Rule of this file: errors are told apart by type, in one table; a command's module is imported when it is called.
"""

import difflib
import gc
import importlib
import sys
from types import ModuleType

import click

from corpusmill import __version__

COMMANDS = {
    "run": "Run a job in the foreground, or go on with it.",
    "plan": "Count and estimate a job, and show its prompts; calls nothing.",
    "check": "Ask the endpoints whether a job can run, and say what to mend.",
    "report": "Tell what a job came to.",
    "trace": "Show every call of one item: what was asked, what was answered, the provider's request id.",
    "export": "Write a corpus in a trainer's format.",
    "finetune": "Train a model on a corpus, and follow the training.",
    "evaluate": "Compare models on held-out items, and tell how sure that is.",
    "refold": "Make another corpus out of the same calls: other filters, dedup or examples.",
    "fsck": "Verify the files of a job, and set damaged parts aside.",
    "purge": "Delete the journal of a job that is over.",
    "recipes": "List, show and copy the shipped specs.",
    "serve": "Serve a queue of jobs over HTTP.",
    "submit": "Submit a spec to a daemon.",
    "jobs": "List the jobs of a daemon.",
    "show": "Show a job of a daemon.",
    "watch": "Watch a job of a daemon until it is over.",
    "pause": "Pause a job of a daemon.",
    "resume": "Go on with a paused or failed job of a daemon.",
    "cancel": "End a job of a daemon for good.",
    "download": "Bring the corpus of a daemon's job here, verified.",
    "config": "Look at the operator's configuration.",
    "import": "Turn a file of ready requests into a job.",
    "simulate": "Serve an OpenAI-compatible endpoint that invents text.",
}
"""Command -> its line in the help. The module of the same name holds it, unless `MODULES` says otherwise."""

MODULES = {
    "import": "import_requests:import_requests",
    "submit": "remote.submit:submit",
    "jobs": "remote.jobs:jobs",
    "show": "remote.jobs:show",
    "watch": "remote.watch:watch",
    "pause": "remote.change:pause",
    "resume": "remote.change:resume",
    "cancel": "remote.change:cancel",
    "download": "remote.download:download",
}
"""Command -> its module and its name there, where these are others."""


class Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return a command; None for an unknown one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = MODULES.get(cmd_name, f"{cmd_name}:{cmd_name}").partition(":")
        command: click.Command = getattr(_imported(f"corpusmill.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; an unknown one ends in the name of the nearest."""
        if args[0] not in COMMANDS and (near := difflib.get_close_matches(args[0], COMMANDS, 1, 0.7)):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _imported(module: str) -> ModuleType:
    """Import a command's module without looking for garbage, as what is imported stays."""
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="corpusmill")
def cli() -> None:
    """Synthetic corpora from combinatorial prompts, through any OpenAI-compatible API."""


def main() -> None:
    """Run the command line and exit."""
    try:
        code = cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        code = error.exit_code
        click.echo(f"corpusmill: {error.format_message()}", err=True)
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        click.echo(f"corpusmill: {error}", err=True)
    sys.exit(code if isinstance(code, int) else 0)


def _exit_code(error: Exception) -> int | None:
    """Return the exit code of an error that is told in one line; None for one that is ours to mend."""
    from corpusmill.cli.errors import EXIT_CODES  # noqa: PLC0415 - imports every room that has errors

    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), None)
