"""`prorank plugins`: what can be named as rescorer, backend or reader, and what else is installed."""

from __future__ import annotations

import typer

from prorank_search.cli import options

app = typer.Typer()


@app.command()
def plugins(json: options.JsonOption = False) -> None:
    """List rescorers, backends, readers and commands with their packages, and whether each can be used."""
    from dataclasses import asdict

    from prorank_search.plugins import survey

    found = survey()
    if json:
        options.echo_json([asdict(plugin) for plugin in found])
        return
    options.echo_table(
        ["kind", "name", "package", "version", "extra", "state"],
        [
            [
                plugin.kind,
                plugin.name,
                plugin.package,
                plugin.version,
                plugin.extra or "-",
                options.in_one_line(f"{plugin.state}: {plugin.advice}" if plugin.advice else plugin.state),
            ]
            for plugin in found
        ],
    )
