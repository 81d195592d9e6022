"""`prorank models`: the models on this machine, and how others get here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options
from prorank_search.cli.step_progress import step_progress

if TYPE_CHECKING:
    from prorank_search.settings import Settings

app = typer.Typer(help="Pull, list, show and promote models.", no_args_is_help=True)


@app.command()
def pull(
    source: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|PATH|HUB_ID]", help="What to fetch; none: what the default model needs."),
    ] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="Branch, tag or commit of a HUB_ID.")] = None,
    accept_license: Annotated[
        bool, typer.Option("--accept-license", help="Accept the model's licence; asked once where it is not free.")
    ] = False,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Fetch a model into PRORANK_HOME; the only command that uses the network for one."""
    from prorank_search import models

    settings = options.settings_from(config=config)
    wanted = source or settings.model
    accepted = accept_license or _asked(wanted, settings)
    with step_progress() as progress:
        folder = models.pull(wanted, settings, revision=revision, accept_license=accepted, progress=progress)
    if json:
        options.echo_json({"model": wanted, "folder": str(folder)})
    else:
        typer.echo(folder)


@app.command("list")
def list_models(config: options.ConfigOption = None, json: options.JsonOption = False) -> None:
    """List the ProRank models of this package, the pulled models, and what can be pulled."""
    from prorank_search import models

    found = models.list_models(options.settings_from(config=config))
    if json:
        options.echo_json([asdict(model) for model in found])
        return
    rows = [
        [
            model.name,
            model.state if model.ready or model.state == "available" else f"{model.state}, its base is not pulled",
            model.rescorer or "-",
            model.base or "-",
            f"{model.size_mb} MB",
            model.license,
            model.origin,
        ]
        for model in found
    ]
    options.echo_table(["name", "state", "rescorer", "base", "size", "licence", "from"], rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A model.")],
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show what is known of a model: its contract, or where a base comes from."""
    from prorank_search import models

    known = models.describe(name, options.settings_from(config=config))
    if json:
        options.echo_json(known)
    else:
        options.echo_table(["what", "value"], [[key, options.in_one_line(value)] for key, value in _flat(known)])


@app.command()
def promote(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A model, or the folder of a checkpoint.")],
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Make a model the one that everything searches with where no other is named; a folder's checkpoint is copied."""
    from prorank_search.models import promotion
    from prorank_search.search import load_rescorer

    settings = options.settings_from(config=config)
    load_rescorer("prorank", settings.changed({"model": name}))  # a model that fails its contract says so
    kept = promotion.promote(name, settings)
    _show_default("promoted", kept, config, json=json)


@app.command()
def demote(config: options.ConfigOption = None, json: options.JsonOption = False) -> None:
    """Undo the last promotion: the model of before is the default again."""
    from prorank_search import promotions

    undone = promotions.demote(options.settings_from(config=config).home)
    _show_default("took back", undone.model, config, json=json)


def _show_default(done: str, model: str, config: Path | None, *, json: bool) -> None:
    """Say what was done, and what is in force: a flag, a variable or the settings file goes before a promotion."""
    settings = options.settings_from(config=config)
    if json:
        options.echo_json({done.replace(" ", "_"): model, "in_force": settings.model, "from": settings.origin("model")})
    else:
        typer.echo(f"{done} {model}; in force: {settings.model} (from {settings.origin('model')})")


def _asked(source: str, settings: Settings) -> bool:
    """Ask whoever sits at the terminal to accept the licence of a model; False where nobody does or needs to."""
    from prorank_search import models

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    terms = models.terms_of(source, settings)
    if terms is None:
        return False
    text = terms.text or "unknown"
    typer.echo(f"{source} comes under the {terms.license}, which is not free. Its text: {text}", err=True)
    return typer.confirm("Have you read it, and do you accept it?", err=True)


def _flat(values: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
