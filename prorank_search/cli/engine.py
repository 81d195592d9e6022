"""`prorank engine`: a real search server on this machine, to try and to test with."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options
from prorank_search.cli.step_progress import step_progress

if TYPE_CHECKING:
    from prorank_search.local.engine import Status

app = typer.Typer(help="Run a real OpenSearch on this machine, without Docker or Java.", no_args_is_help=True)


class Engine(StrEnum):
    """The servers that can be started."""

    opensearch = "opensearch"


EngineArgument = Annotated[Engine, typer.Argument(metavar="ENGINE", help="opensearch.")]
VersionOption = Annotated[str | None, typer.Option("--version", help="Which version; none: 2.19.1.")]
WithMlOption = Annotated[bool, typer.Option("--with-ml", help="Add ml-commons, neural-search and k-NN.")]
_NEVER_PUBLIC = (
    "has no password and no TLS, so it answers on this machine only (127.0.0.1). It is for trying and testing; "
    "for others to reach, run a real cluster and name it with --url"
)


@app.command()
def up(
    engine: EngineArgument,
    version: VersionOption = None,
    with_ml: WithMlOption = False,
    host: Annotated[str, typer.Option("--host", help="An address of this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port it answers at.")] = 9200,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Start a server, fetching it the first time; data of earlier starts are there."""
    from prorank_search.errors import ConfigError
    from prorank_search.local import engine as local
    from prorank_search.local.lock import DEFAULT_VERSION

    if host not in {"127.0.0.1", "localhost"}:
        raise ConfigError(f"refused to listen at {host!r}: this server {_NEVER_PUBLIC}")
    settings = options.settings_from(config=config)
    with step_progress() as progress:
        found = local.up(
            settings.home,
            progress,
            version=version or DEFAULT_VERSION,
            port=port,
            with_ml=with_ml,
            repository=settings.maven_repository,
        )
    if json:
        options.echo_json(asdict(found))
        return
    typer.echo(f"{_name(found)} answers at {found.url} (pid {found.pid}, {found.memory_mb} MB)")
    typer.echo(f"  use it   prorank ingest SOURCE --index NAME --backend {engine.value} --url {found.url}")
    typer.echo(f"  stop it  prorank engine down {engine.value}")
    typer.echo(f"  data     {found.data}, kept between starts")
    if found.with_ml:
        typer.echo(
            '  k-NN     only with "engine": "lucene": the native libraries of the others are not among the artifacts'
        )


@app.command()
def fetch(
    engine: EngineArgument,
    version: VersionOption = None,
    with_ml: WithMlOption = False,
    config: options.ConfigOption = None,
) -> None:
    """Fetch a server without starting it: 'up' needs no network then."""
    from prorank_search.local import engine as local
    from prorank_search.local.lock import DEFAULT_VERSION

    del engine
    settings = options.settings_from(config=config)
    with step_progress() as progress:
        node = local.prepare(
            version or DEFAULT_VERSION,
            settings.home,
            local.DEFAULT_PORT,
            progress,
            with_ml=with_ml,
            repository=settings.maven_repository,
        )
    typer.echo(node.tree)


@app.command()
def down(engine: EngineArgument, config: options.ConfigOption = None) -> None:
    """Stop the server; its data stay."""
    from prorank_search.local import engine as local

    stopped = local.down(options.settings_from(config=config).home)
    typer.echo(f"{engine.value} is stopped; its data stay" if stopped else f"{engine.value} did not run")


@app.command()
def status(engine: EngineArgument, config: options.ConfigOption = None, json: options.JsonOption = False) -> None:
    """Tell whether the server runs, and where; exit code 0 also where it does not."""
    from prorank_search.local import engine as local

    found = local.status(options.settings_from(config=config).home)
    if json:
        options.echo_json(asdict(found))
    elif found.running:
        state = "answers" if found.answers else "runs, but does not answer (yet)"
        typer.echo(f"{_name(found)} {state} at {found.url} (pid {found.pid}, {found.memory_mb} MB)")
        typer.echo(f"data: {found.data}")
    elif found.ended_by_itself:
        typer.echo(f"{_name(found)} does not run: it ended without 'prorank engine down' (killed, or an error)")
        typer.echo(f"see 'prorank engine logs {engine.value}'; start it again with 'prorank engine up {engine.value}'")
    else:
        typer.echo(f"{engine.value} does not run; start it with 'prorank engine up {engine.value}'")


@app.command()
def logs(
    engine: EngineArgument,
    lines: Annotated[int, typer.Option("--lines", min=1, help="How many of the last lines.")] = 50,
    config: options.ConfigOption = None,
) -> None:
    """Print the end of what the server said since its last start."""
    from pathlib import Path

    from prorank_search.errors import ConfigError
    from prorank_search.local import engine as local
    from prorank_search.local.node import last_words

    log = local.status(options.settings_from(config=config).home).log
    if log is None:
        raise ConfigError(f"{engine.value} was never started here: 'prorank engine up {engine.value}' does it")
    typer.echo(last_words(Path(log), lines))


def _name(found: Status) -> str:
    return f"OpenSearch {found.version}{' with ml-commons, neural-search and k-NN' if found.with_ml else ''}"
