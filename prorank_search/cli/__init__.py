"""The command `prorank`.

Every command is a `typer.Typer()`: ours are named `app` in a module `prorank_search.cli.NAME`, those of the apps and of
third parties stand behind entry points of the group `prorank_search.commands`. Only the command that runs is imported;
`prorank --help` knows each by its line below alone.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from prorank_search.cli.interruption import INTERRUPTED
from prorank_search.errors import ProRankError
from prorank_search.plugins import installed, load

if TYPE_CHECKING:
    from typer._click import Command, Context

_OURS = {
    "search": "Search an index: BM25 finds, the model puts the best first.",
    "compare": "Show a query's hits before and after rescoring, side by side.",
    "evaluate": "Measure both stages on queries with judgments.",
    "evaluate-suite": "Measure several systems side by side.",
    "rescore": "Rescore a TREC run file.",
    "serve": "Answer rerank requests over HTTP.",
    "keys": "Make, list and revoke the keys of the service.",
    "plugins": "List rescorers, backends, readers and commands, and what each needs.",
    "provision": "Register the service inside OpenSearch or Elasticsearch.",
    "doctor": "Check a whole installation, and whether ml-commons can read a rerank service.",
    "judge": "Import, export, list and back up judgments.",
    "index": "List indexes, delete one, go back to its version before, prune old ones.",
    "engine": "Run a real OpenSearch on this machine, without Docker or Java.",
    "profile": "Guess how an index of somebody else is searched.",
    "models": "Pull, list, show and promote models.",
    "config": "Show what is in force, and from where.",
    "demo": "Search Python's own documentation with both stages, and measure them.",
}
_APPS = {
    "ingest": "Put documents into an index.",
    "train": "Train a model of your own.",
    "ui": "Open the web interface.",
}
_COMPLETION = {"install_completion", "show_completion"}
"""Options that typer gives to every Typer() which is not told otherwise."""
_PLAIN_HELP: Final = None
"""Help as plain text: typer's frames around it take longer to import than everything else together."""


class Commands(TyperGroup):
    """The commands, each imported when it is called, and the one place that turns errors into exit codes."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Return the name, the imported command and its arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else None, rest

    def invoke(self, ctx: Context) -> object:
        """Run the command; an error that is no bug becomes one line on stderr and its exit code."""
        try:
            return super().invoke(ctx)
        except ProRankError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except typer.Abort as error:  # Ctrl-C where a person is asked something
            typer.echo(err=True)
            raise typer.Exit(INTERRUPTED) from error
        except BrokenPipeError:
            raise  # whoever read the output has seen enough: typer ends quietly
        except OSError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(ProRankError.exit_code) from error


app = typer.Typer(
    cls=Commands,
    name="prorank",
    help="BM25 finds candidates, a small language model trained with ProRank rescores them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=_PLAIN_HELP,
)


def load_command(name: str) -> Command:
    """Import one command.

    Raises:
        UnknownPluginError: Nobody installed it.
        MissingExtraError: It needs a package that is not installed.
    """
    ours = f"prorank_search.cli.{name.replace('-', '_')}"
    found = import_module(ours).app if name in _OURS else load("commands", name)
    found.rich_markup_mode = _PLAIN_HELP
    command = get_command(found)
    command.params = [option for option in command.params if option.name not in _COMPLETION]
    return command


def main() -> None:
    """Run `prorank` with the arguments of this process; what the terminal cannot show becomes a question mark.

    Threads of the model that wait for each other sleep: where other programs want the same cores, such as the engine,
    spinning ones took half a minute for what takes a tenth of a second. OpenMP reads this when torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    app(prog_name="prorank")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"prorank {version('prorank-search')}")
        raise typer.Exit


@app.callback()
def _prorank(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


def _listed() -> None:
    """Stand in the list of commands; `Commands.resolve_command` puts the real one in its place."""


def _list_commands() -> None:
    points = installed("commands").items()
    foreign = {name: f"From the package {point.module.partition('.')[0]}." for name, point in points}
    for name, line in (_OURS | foreign | _APPS).items():
        app.command(name, help=line)(_listed)


_list_commands()
