"""`prorank judge`: query sets and what was judged of them, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options
from prorank_search.cli.second_stage import NoCacheOption

if TYPE_CHECKING:
    from prorank_search.judgments import JudgmentStore, Origin, QuerySet
    from prorank_search.judgments.exchange import Form
    from prorank_search.types import Query

app = typer.Typer(help="Import, export, list and back up judgments; `prorank ui` collects them.", no_args_is_help=True)

FormOption = Annotated[
    str | None,
    typer.Option("--form", metavar="FORM", help="trec, beir, csv, quepid or workbench (OpenSearch's)."),
]
ProposalsOption = Annotated[
    bool, typer.Option("--proposals", help="What a model judged: proposals, never counted as a person's.")
]


@app.command("import")
def import_judgments(
    source: Annotated[Path, typer.Argument(help="A file of judgments, or a BEIR folder.")],
    query_set: Annotated[str, typer.Option("--set", help="Query set that they go into; made where there is none.")],
    *,
    index: Annotated[
        str | None, typer.Option("--index", help="The index whose documents are judged; a new set needs it.")
    ] = None,
    judge: Annotated[str, typer.Option("--judge", help="Who judged.")] = "imported",
    queries: Annotated[
        Path | None, typer.Option("--queries", help="The queries that qrels name by id: tab-separated, .csv or .jsonl.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Which judgments of a BEIR folder.")] = "test",
    form: FormOption = None,
    proposals: ProposalsOption = False,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Import qrels (TREC, BEIR, CSV), Quepid's CSV or the Search Relevance Workbench's JSON; all of it or nothing."""
    from prorank_search import beir, query_files
    from prorank_search.judgments.exchange import read_judgments, take_in

    store = _store(config)
    known = _known(store, query_set)
    if source.is_dir():
        known |= beir.read_queries(source)
        source = beir.qrels_path(source, split)
    if queries is not None:
        known |= query_files.read_queries(queries)
    judged = read_judgments(source, known, None if form is None else _form(form))
    added, new = take_in(
        store,
        judged,
        query_set=query_set,
        index=_index(store, query_set, index),
        judge=judge,
        origin=_origin(proposals=proposals),
    )
    if json:
        told = {"set": query_set, "queries": len(judged.queries), "new_queries": added}
        options.echo_json(told | {"judgments": len(judged.qrels), "new_judgments": new, "judge": judge})
    else:
        typer.echo(
            f"{query_set}: {new:,} new of {len(judged.qrels):,} judgments, {added:,} new of "
            f"{len(judged.queries):,} queries, as {judge}"
        )


@app.command()
def export(
    query_set: Annotated[str, typer.Argument(metavar="SET", help="Name of the query set.")],
    *,
    form: FormOption = "trec",
    out: Annotated[Path | None, typer.Option("--out", help="File that is written; stdout where not given.")] = None,
    queries_out: Annotated[
        Path | None, typer.Option("--queries-out", help="Write the set's queries too, as BEIR's queries.jsonl.")
    ] = None,
    proposals: ProposalsOption = False,
    config: options.ConfigOption = None,
) -> None:
    """Export what was judged, one grade a document: the median of its judges, the lower one of two in the middle."""
    from prorank_search.judgments.exchange import written
    from prorank_search.query_files import written_queries

    store = _store(config)
    queries = store.queries(query_set)
    text = written(_form(form or "trec"), queries, store.qrels(query_set, _origin(proposals=proposals)), query_set)
    if queries_out is not None:
        _write(queries_out, written_queries(queries.values()))
    if out is None:
        typer.echo(text, nl=False)
    else:
        _write(out, text)


@app.command()
def propose(
    query_set: Annotated[str, typer.Argument(metavar="SET", help="Name of the query set.")],
    *,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    device: options.DeviceOption = None,
    no_cache: NoCacheOption = False,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Let a model propose grades for the pooled hits of a set: equal parts of its probabilities, 0 to 1."""
    from prorank_search.cli.second_stage import cached_rescorer, interruptible_scoring
    from prorank_search.cli.text_progress import text_progress
    from prorank_search.judgments.proposals import propose
    from prorank_search.profiles import profile_for

    store = _store(config)
    index = store.query_set(query_set).index
    settings = options.settings_from(index=index, rescorer=rescorer, model=model, device=device, config=config)
    second_stage = cached_rescorer(settings, no_cache=no_cache)
    with interruptible_scoring(no_cache=no_cache), text_progress() as progress:
        graded, new = propose(store, query_set, second_stage, profile_for(settings, index), progress)
    name = second_stage.info.model
    if json:
        options.echo_json({"set": query_set, "model": name, "hits": graded, "new_proposals": new})
    else:
        typer.echo(f"{query_set}: {name} proposes grades for {graded:,} hits, {new:,} of them new")


@app.command()
def backup(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; no such file may exist.")],
    config: options.ConfigOption = None,
) -> None:
    """Copy the whole judgment store, whatever is judged meanwhile. To restore it, put it in the store's place."""
    store = _store(config)
    store.backup(out)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


@app.command("list")
def list_sets(config: options.ConfigOption = None, json: options.JsonOption = False) -> None:
    """List the query sets: their judgments, and how far their judges agree."""
    store = _store(config)
    told = [_told(store, one) for one in store.query_sets()]
    if json:
        options.echo_json(told)
    elif told:
        options.echo_table(
            list(told[0]), [["-" if value is None else str(value) for value in of.values()] for of in told]
        )
    else:
        typer.echo(
            "No query set yet: `prorank ui` makes one on its page Judge, or prorank judge import FILE --set NAME."
        )


def _store(config: Path | None) -> JudgmentStore:
    from prorank_search.judgments import FILE_NAME, JudgmentStore

    return JudgmentStore(options.settings_from(config=config).home / FILE_NAME)


def _form(name: str) -> Form:
    from prorank_search.errors import ConfigError
    from prorank_search.judgments.exchange import FORMS

    form = next((form for form in FORMS if form == name), None)
    if form is None:
        raise ConfigError(f"--form {name!r}: there are {', '.join(FORMS)}")
    return form


def _origin(*, proposals: bool) -> Origin:
    return "model" if proposals else "person"


def _known(store: JudgmentStore, query_set: str) -> dict[str, Query]:
    """Return the queries of a set that may not be there yet."""
    names = {one.name for one in store.query_sets()}
    return store.queries(query_set) if query_set in names else {}


def _index(store: JudgmentStore, query_set: str, index: str | None) -> str:
    from prorank_search.errors import ConfigError

    if index is not None:
        return index
    found = next((one.index for one in store.query_sets() if one.name == query_set), None)
    if found is None:
        raise ConfigError(
            f"there is no query set {query_set!r} yet: say with --index which index's documents it judges"
        )
    return found


def _write(path: Path, text: str) -> None:
    from prorank_search.errors import InputError
    from prorank_search.storage.whole_files import write_whole

    try:
        write_whole(path, text)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _told(store: JudgmentStore, query_set: QuerySet) -> dict[str, object]:
    from prorank_search.evaluation.agreement import agreement

    said = store.judgments(query_set.name)
    found = agreement(said)
    return {
        "set": query_set.name,
        "index": query_set.index,
        "queries": query_set.queries,
        "judged": len(
            {(one.query_id, one.doc_id) for one in said if one.origin == "person" and one.relevance is not None}
        ),
        "proposals": sum(one.origin == "model" for one in said),
        "judges": len(found.judges),
        "alpha": None if found.alpha is None else round(found.alpha, 3),
        "created": query_set.created,
    }
