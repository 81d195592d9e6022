"""`prorank keys`: who may ask the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from prorank_search.serving.keys import Key

app = typer.Typer(help="Make, list and revoke the keys of `prorank serve`.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; logs call it so.")]


@app.command()
def create(
    name: NameArgument,
    expires_days: Annotated[
        int | None,
        typer.Option("--expires-days", min=1, max=36_500, help="Days after which it ends; never, where not given."),
    ] = None,
    role: Annotated[
        str,
        typer.Option("--role", metavar="caller|admin", help="admin: it may also switch the gateway's rescoring."),
    ] = "caller",
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Make a key and print its secret, once: only a hash of it is kept."""
    from prorank_search.serving import keys

    key, secret = keys.create(options.settings_from(config=config).home, name, expires_days, keys.role_of(role))
    if json:
        options.echo_json(_said(key) | {"key": secret})
        return
    typer.echo(secret)
    until = f", until {key.expires}" if key.expires else ""
    typer.echo(
        f"the key of {name}, {key.role}{until}; keep it now, it is not shown again. Send it as Authorization: Bearer "
        "KEY, to the gateway as X-ProRank-Key: KEY",
        err=True,
    )


@app.command("list")
def list_keys(config: options.ConfigOption = None, json: options.JsonOption = False) -> None:
    """List the keys by name; never their secrets."""
    from prorank_search.serving import keys

    found = keys.read(options.settings_from(config=config).home)
    if json:
        options.echo_json([_said(key) for key in found])
        return
    rows = [[key.name, key.role, key.created, key.expires or "never", _state(key)] for key in found]
    options.echo_table(["name", "role", "created", "expires", "state"], rows)


@app.command()
def revoke(name: NameArgument, config: options.ConfigOption = None, json: options.JsonOption = False) -> None:
    """Revoke a key; a running service refuses it from the next request on."""
    from prorank_search.serving import keys

    key = keys.revoke(options.settings_from(config=config).home, name)
    if json:
        options.echo_json(_said(key) | {"state": "revoked"})
    else:
        typer.echo(f"revoked {name}")


def _said(key: Key) -> dict[str, object]:
    return {"name": key.name, "role": key.role, "created": key.created, "expires": key.expires, "state": _state(key)}


def _state(key: Key) -> str:
    return "expired" if key.expired else "active"
