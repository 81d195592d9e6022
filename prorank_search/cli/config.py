"""`prorank config`: what is in force, and from where."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from prorank_search.profiles import Profile
    from prorank_search.settings import Settings

app = typer.Typer(help="Show what is in force, and from where.", no_args_is_help=True)


@app.callback()
def _config() -> None:
    """Keep `show` a command of its own."""


@app.command()
def show(
    index: Annotated[
        str | None, typer.Option("--index", help="Show what is in force for searches of this index.")
    ] = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Print each setting's value and where it comes from, and the search profiles: all, or that of the index."""
    from prorank_search.profiles import load_profiles

    settings = options.settings_from(index=index, config=config)
    profiles = load_profiles(settings.config)
    if index is not None:
        profiles = {name: profile for name, profile in profiles.items() if name == index}
    values = _values(settings)
    if json:
        options.echo_json(
            {
                "settings": {key: {"value": value, "from": settings.origin(key)} for key, value in values.items()},
                "profiles": {name: _said(profile) for name, profile in profiles.items()},
            }
        )
    else:
        _show(settings, profiles)


def _show(settings: Settings, profiles: dict[str, Profile]) -> None:
    values = _values(settings)
    options.echo_table(
        ["setting", "value", "from"],
        [[key, "none" if value is None else str(value), settings.origin(key)] for key, value in values.items()],
    )
    for name, profile in profiles.items():
        typer.echo()
        options.echo_table(
            [f"profile {name}", "value"], [[key, options.in_one_line(value)] for key, value in _said(profile).items()]
        )


def _values(settings: Settings) -> dict[str, object]:
    """Return what is in force, without the query of `remote_url`, which may hold a secret."""
    values = settings.model_dump(mode="json")
    if settings.remote_url is not None:
        values["remote_url"] = settings.remote_url.partition("?")[0]
    return values


def _said(profile: Profile) -> dict[str, object]:
    return {key: value for key, value in asdict(profile).items() if value is not None}
