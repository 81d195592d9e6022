"""`prorank doctor`: what of an installation works."""

from __future__ import annotations

from typing import Annotated

import typer

from prorank_search.cli import options

app = typer.Typer()


@app.command()
def doctor(
    service: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="A rerank service; none: where prorank serve would answer.")
    ] = None,
    *,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Check model, device, engine, indexes, service and pipelines; exit code 1 where a check fails."""
    from prorank_search.doctor.check import Installation
    from prorank_search.doctor.installation import examine
    from prorank_search.service_url import rerank_url

    settings = options.settings_from(backend=backend, url=url, rescorer=rescorer, model=model, config=config)
    where = rerank_url(service or f"http://{settings.host}:{settings.port}", "/v2/rerank")
    found = []
    for checked in examine(Installation(settings, where, named=service is not None)):
        found.append(checked)
        if not json:
            typer.echo(f"{checked.state:<8} {checked.name:<11} {checked.seen}")
            if checked.advice:
                typer.echo(f"{'':<20} -> {checked.advice}")
    if json:
        options.echo_json([checked._asdict() for checked in found])
    if any(checked.state == "fail" for checked in found):
        raise typer.Exit(1)
