"""The options that commands share, and how a command gets its settings from them.

A command names its options by these types, all None by default, and hands them over under the settings' own names:

    @app.command()
    def search(query: str, index: IndexOption, model: ModelOption = None, config: ConfigOption = None) -> None:
        settings = settings_from(index=index, model=model, config=config)
        profile = profile_for(settings, index)
        rescorer = load_rescorer(settings=settings)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from prorank_search.settings import Settings

IndexOption = Annotated[str, typer.Option("--index", help="Name of the index.")]
BackendOption = Annotated[
    str | None, typer.Option("--backend", help="First stage: auto, tantivy, opensearch, elasticsearch or a plugin.")
]
UrlOption = Annotated[str | None, typer.Option("--url", help="The engine's address; none: the embedded index.")]
RescorerOption = Annotated[str | None, typer.Option("--rescorer", help="Second stage: prorank, overlap or a plugin.")]
NoRescoreOption = Annotated[bool, typer.Option("--no-rescore", help="Leave the first stage's order.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="A model's name, or the folder of a checkpoint.")]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda or mps.")]
WindowSizeOption = Annotated[
    str | None, typer.Option("--window-size", metavar="auto|N", help="First-stage hits that are rescored.")
]
TopKOption = Annotated[int | None, typer.Option("--top-k", help="Hits shown.")]
TimeoutOption = Annotated[
    str | None, typer.Option("--timeout-s", metavar="SECONDS|none", help="What is not scored by then keeps its order.")
]
QueryBodyOption = Annotated[
    Path | None, typer.Option("--query-body", help="The engine's own query body, a JSON file with {{query}} in it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file; prorank.toml of this folder where not given.")
]


def settings_from(*, index: str | None = None, **flags: object) -> Settings:
    """Return the settings in force: flags (None: not given), PRORANK_* variables, prorank.toml, defaults.

    Args:
        index: The index that is about to be searched, so that its profile's rescorer, model, window and deadline count.
        flags: Values of the options, by the settings' names.

    Raises:
        ConfigError: An unknown key or a value that cannot be used.
    """
    from prorank_search.settings import load_settings

    return load_settings(index=index, **flags)


def echo_json(value: object) -> None:
    """Print a value as JSON on stdout; with escapes where stdout cannot take every character."""
    typer.echo(json.dumps(value, ensure_ascii="utf" not in sys.stdout.encoding.lower(), indent=2))


def in_one_line(value: object) -> str:
    r"""Return a value as it stands in a table: a text of one line itself, anything else as JSON.

    Example:
        >>> in_one_line("a model"), in_one_line(["a", "b"]), in_one_line("one\ntwo")
        ('a model', '["a", "b"]', '"one\\ntwo"')
    """
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value, ensure_ascii=False)


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print lines of columns on stdout, each column as wide as its longest value; nothing is cut."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in [headings, *rows]:
        typer.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
