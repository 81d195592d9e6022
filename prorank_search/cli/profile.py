"""`prorank profile`: a first search profile for an index that somebody else built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from prorank_search.settings import Settings

app = typer.Typer(help="Guess how an index of somebody else is searched.", no_args_is_help=True)


@app.callback()
def _profile() -> None:
    """Keep `guess` a command of its own."""


@app.command()
def guess(
    index: Annotated[str, typer.Argument(help="Name of the index.")],
    *,
    write: Annotated[bool, typer.Option("--write", help="Append it to the settings file.")] = False,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    config: options.ConfigOption = None,
) -> None:
    """Print a first profile of an index: searched fields, and where title and text stand. Only reads the index."""
    from prorank_search.backends.engines.guess import SAMPLE, guess, to_toml
    from prorank_search.backends.engines.search import EngineSearch
    from prorank_search.errors import ConfigError
    from prorank_search.search import load_backend

    settings = options.settings_from(backend=backend, url=url, config=config)
    engine = load_backend(settings)
    if not isinstance(engine, EngineSearch):
        raise ConfigError("only an index of OpenSearch or Elasticsearch can be guessed at: name the server with --url")
    told = to_toml(index, guess(engine.mapping(index), engine.sample(index, SAMPLE)))
    if write:
        typer.echo(f"added to {_append(told, index, settings)}:\n")
    typer.echo(told, nl=False)


def _append(told: str, index: str, settings: Settings) -> Path:
    from prorank_search.errors import ConfigError
    from prorank_search.profiles import load_profiles
    from prorank_search.settings import FILE_NAME

    path = settings.config or Path(FILE_NAME)
    if index in load_profiles(settings.config):
        raise ConfigError(f"{path} has a profile of {index!r} already: take it out first, or leave out --write")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{told}")
    return path
