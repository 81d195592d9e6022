"""Write the command reference to stdout: `make docs` keeps it in docs/cli.md."""

from __future__ import annotations

import sys

import typer
from typer.cli import get_docs_for_click
from typer.core import TyperGroup
from typer.main import get_command

from prorank_search.cli import app, load_command


def reference() -> str:
    """Return the reference of every command, as Markdown."""
    group = get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError(f"prorank is a {type(group).__name__}, not a group of commands")
    group.commands = {name: load_command(name) for name in group.commands}
    for name, command in group.commands.items():
        command.name = name
    pages = get_docs_for_click(obj=group, ctx=typer.Context(group), name="prorank", title="Commands")
    return f"{pages.strip()}\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
