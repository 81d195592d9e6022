"""`prorank provision`: rescoring inside an engine."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from prorank_search.backends.engines.connection import Engine
    from prorank_search.provision.plan import Plan, Progress
    from prorank_search.settings import Settings

DEFAULT_TIMEOUT_S = 10.0
"""Where the settings have no deadline: an engine always has one."""

app = typer.Typer(help="Register the service inside OpenSearch or Elasticsearch.", no_args_is_help=True)


class OnFailure(StrEnum):
    """What becomes of a search when the service fails."""

    keep = "keep"
    error = "error"


class Kind(StrEnum):
    """The inference services of Elasticsearch that take an address of one's own."""

    custom = "custom"
    hugging_face = "hugging_face"


ServiceOption = Annotated[
    str | None, typer.Option("--service", help="The service's address, as the engine's nodes reach it.")
]
NameOption = Annotated[str, typer.Option("--pipeline", help="Name of what is made.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the requests as JSON, and send none.")]
UndoOption = Annotated[bool, typer.Option("--undo", help="Take away what was made.")]
FieldsOption = Annotated[
    str, typer.Option("--fields", metavar="FIELD,...", help="Fields of a document that make its text.")
]
TimeoutOption = Annotated[
    str | None, typer.Option("--timeout-s", metavar="SECONDS", help="What is not scored by then comes last.")
]


@app.command()
def opensearch(
    url: options.UrlOption = None,
    service: ServiceOption = None,
    *,
    pipeline: NameOption = "prorank",
    fields: FieldsOption = "title,text",
    sample_factor: Annotated[
        float, typer.Option("--sample-factor", min=1, help="Hits rescored, as a multiple of the page.")
    ] = 3.0,
    on_failure: Annotated[
        OnFailure, typer.Option("--on-failure", help="keep: answer in the first stage's order; error: fail.")
    ] = OnFailure.keep,
    timeout_s: TimeoutOption = None,
    dry_run: DryRunOption = False,
    undo: UndoOption = False,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Make a search pipeline that rescores by the service, with connector and model."""
    from prorank_search.backends.engines.opensearch import connect
    from prorank_search.provision import opensearch as provision
    from prorank_search.provision.opensearch_bodies import Wanted, search_example

    settings = options.settings_from(url=url, timeout_s=timeout_s, config=config)
    engine = connect(settings)
    cluster = provision.read(engine, pipeline)
    if undo:
        _undo(engine, provision.removal(cluster, pipeline), dry_run=dry_run, json=json)
        return
    wanted = Wanted(
        pipeline,
        _rerank_url(service, "/v2/rerank"),
        with_key=settings.remote_api_key is not None,
        fields=tuple(fields.split(",")),
        sample_factor=sample_factor,
        timeout_s=settings.timeout_s or DEFAULT_TIMEOUT_S,
        on_failure=on_failure.value,
    )
    plan = provision.plan(cluster, wanted)
    if dry_run:
        options.echo_json(plan.described())
        return
    known = _make(engine, plan, settings, json=json)
    provision.check_answer(engine, known["model_id"], wanted.url)
    _show(plan, f"POST /INDEX/_search?search_pipeline={pipeline}", search_example(wanted.fields), json=json)


@app.command()
def elasticsearch(
    url: options.UrlOption = None,
    service: ServiceOption = None,
    *,
    pipeline: NameOption = "prorank",
    kind: Annotated[Kind, typer.Option("--kind", help="Which of Elasticsearch's services asks.")] = Kind.custom,
    field: Annotated[str, typer.Option("--field", help="Field of a document that is its text.")] = "text",
    timeout_s: TimeoutOption = None,
    dry_run: DryRunOption = False,
    undo: UndoOption = False,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Make an inference endpoint that reranks by the service; needs an Enterprise or trial licence."""
    from prorank_search.backends.engines.elasticsearch import connect
    from prorank_search.provision import elasticsearch as provision

    settings = options.settings_from(url=url, timeout_s=timeout_s, config=config)
    engine = connect(settings)
    if not (dry_run or undo):
        provision.check_licence(engine)
    wanted = provision.Wanted(
        pipeline,
        _rerank_url(service, provision.RERANK_PATH[kind.value]),
        kind.value,
        with_key=settings.remote_api_key is not None,
        timeout_s=settings.timeout_s or DEFAULT_TIMEOUT_S,
    )
    plan = provision.plan(provision.read(engine, pipeline), wanted)
    if undo:
        _undo(engine, plan, dry_run=dry_run, json=json)
    elif dry_run:
        options.echo_json(plan.described())
    else:
        _make(engine, plan, settings, json=json)
        _show(plan, "POST /INDEX/_search", provision.search_example(pipeline, field), json=json)


def _rerank_url(service: str | None, path: str) -> str:
    from prorank_search.errors import ConfigError
    from prorank_search.service_url import rerank_url

    if service is None:
        raise ConfigError("the service's address is needed: --service http://HOST:8080, as the engine's nodes reach it")
    return rerank_url(service, path)


def _make(engine: Engine, plan: Plan, settings: Settings, *, json: bool) -> dict[str, str]:
    from prorank_search.provision.plan import carry_out

    key = settings.remote_api_key
    secrets = {} if key is None else {"remote_api_key": key.get_secret_value()}
    return carry_out(engine, plan, secrets, _progress("made", json=json))


def _undo(engine: Engine, plan: Plan, *, dry_run: bool, json: bool) -> None:
    from prorank_search.provision.plan import undo

    if dry_run:
        options.echo_json(plan.described())
        return
    undo(engine, plan, _progress("gone", json=json))
    if json:
        options.echo_json({"gone": [step.what for step in plan.undone]})
    elif not plan.undone:
        typer.echo("nothing to undo: there is nothing of ours")


def _progress(word: str, *, json: bool) -> Progress:
    return lambda what: None if json else typer.echo(f"{word}   {what}")


def _show(plan: Plan, request: str, body: dict[str, object], *, json: bool) -> None:
    """Tell what is there now, and how it is searched with."""
    there = [step.what for step in plan.steps if step.there]
    made = [step.what for step in plan.missing]
    if json:
        options.echo_json(
            {"made": made, "there": there, "notices": list(plan.notices), "use": {"request": request, "body": body}}
        )
        return
    for what in there:
        typer.echo(f"there  {what}")
    for notice in plan.notices:
        typer.echo(f"note   {notice}")
    typer.echo(f"search {request}")
    options.echo_json(body)
