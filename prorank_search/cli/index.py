"""`prorank index`: what can be searched."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from prorank_search.protocols import IndexBackend

app = typer.Typer(help="List indexes, delete one, go back to its version before, prune old ones.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Name of the index.")]


@app.command("list")
def list_indexes(
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """List the indexes that can be searched."""
    from prorank_search.search import load_backend

    indexes = load_backend(options.settings_from(backend=backend, url=url, config=config)).indexes()
    if json:
        options.echo_json([asdict(index) for index in indexes])
    elif indexes:
        options.echo_table(
            ["name", "documents", "passages", "analysis", "size", "created", "version"],
            [
                [
                    index.name,
                    f"{index.documents:,}",
                    "-" if index.passages is None else f"{index.passages:,}",
                    index.analysis,
                    _size(index.size_bytes),
                    index.created,
                    index.version,
                ]
                for index in indexes
            ],
        )
    else:
        typer.echo("No index yet: prorank ingest SOURCE --index NAME makes one.")


@app.command()
def delete(
    name: NameArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Delete an index with all its versions."""
    from prorank_search.search import load_backend

    opened = load_backend(options.settings_from(backend=backend, url=url, config=config))
    agreed = yes or _agreed(f"Delete the index {name!r} {_contents(opened, name)}?")
    if agreed:
        opened.delete(name)
    if json:
        options.echo_json({"index": name, "deleted": agreed})
    else:
        typer.echo(f"deleted {name!r}" if agreed else f"{name!r} stays")


@app.command()
def rollback(
    name: NameArgument,
    *,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Let searches see the version of an index before the present one."""
    from prorank_search.search import load_backend

    version = load_backend(options.settings_from(backend=backend, url=url, config=config)).rollback(name)
    if json:
        options.echo_json({"index": name, "version": version})
    else:
        typer.echo(f"{name!r} is at version {version} again")


@app.command()
def prune(
    name: NameArgument,
    *,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Delete all versions of an index but the one that searches see: there is no way back then."""
    from prorank_search.search import load_backend

    pruned = load_backend(options.settings_from(backend=backend, url=url, config=config)).prune(name)
    if json:
        options.echo_json({"index": name, "deleted": pruned})
    else:
        typer.echo(f"deleted of {name!r}: {', '.join(pruned) or 'nothing, there is one version'}")


def _agreed(question: str) -> bool:
    """Ask a person for yes or no.

    Raises:
        ConfigError: Nobody answers: the input is at its end.
    """
    from prorank_search.errors import ConfigError

    try:
        return typer.confirm(question, err=True)
    except typer.Abort as error:
        if isinstance(error.__context__, EOFError):
            typer.echo(err=True)
            raise ConfigError("nobody answers that here: give --yes") from error
        raise


def _contents(backend: IndexBackend, name: str) -> str:
    """Return what is in an index, also in one that cannot be counted."""
    if not backend.versions(name):
        backend.count(name)  # raises: there is no such index
    published = backend.published(name)
    if published is not None:
        return f"with its {published.documents:,} documents"
    return "that cannot be searched, since it is damaged or its first ingest did not finish"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
