"""`prorank ingest`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli.interruption import interruptible
from prorank_search.cli.options import (
    BackendOption,
    ConfigOption,
    IndexOption,
    JsonOption,
    UrlOption,
    echo_json,
    settings_from,
)

if TYPE_CHECKING:
    from prorank_ingest.run import Report
    from prorank_search.protocols import Reader, ReaderOptions

FINISHED_WITH_DEAD_LETTERS = 6
REPLAY = "replay"

app = typer.Typer(add_completion=False)


@app.command()
def ingest(
    source: Annotated[
        str,
        typer.Argument(
            help="A BEIR folder; a .jsonl, .csv or .tsv file (.gz or .zst too); a .parquet, .html or .pdf file; a "
            "folder of texts, Markdown, code, pages; a database's SQLAlchemy URL, with --select; an engine's index, "
            "as http://HOST:9200/NAME; an embedded one, as tantivy:NAME; the import name of a Python package (read, "
            "never imported); stdlib; python-topics; - for JSON Lines on stdin."
        ),
    ],
    index: IndexOption,
    letters: Annotated[
        Path | None, typer.Argument(help="After the word replay as source: a file of dead letters.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Build a new version beside the old one, then swap; else: upsert by id.")
    ] = False,
    backend: BackendOption = None,
    url: UrlOption = None,
    analysis: Annotated[
        str, typer.Option(help="auto, english, standard, code, chinese or cjk; on engines also english,title=standard.")
    ] = "auto",
    reader: Annotated[str | None, typer.Option(help="The reader to use, where several could read the source.")] = None,
    id_column: Annotated[
        str | None, typer.Option(help="Column, key or path of the id; else _id, id or doc_id.")
    ] = None,
    title_column: Annotated[str | None, typer.Option(help="Column, key or path of the title; else title.")] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column, key or path of the text; else text, contents, content or body.")
    ] = None,
    no_docstrings: Annotated[bool, typer.Option("--no-docstrings", help="Python code without its docstrings.")] = False,
    select: Annotated[str | None, typer.Option(help="The SELECT that a database is asked, with an ORDER BY.")] = None,
    passages: Annotated[
        bool, typer.Option("--passages", help="Cut documents into passages, which are found and scored one by one.")
    ] = False,
    passage_tokens: Annotated[int, typer.Option(min=16, help="Tokens of a passage at most, estimated.")] = 256,
    passage_overlap: Annotated[int, typer.Option(min=0, help="Tokens that the next passage repeats at most.")] = 32,
    k1: Annotated[
        float | None,
        typer.Option(min=0, help="BM25 of a new index on an engine: how much a word's repetitions count; else 1.2."),
    ] = None,
    b: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="BM25 of a new index on an engine: how much a length counts; else 0.75."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Records that are read at most.")] = None,
    keep_existing: Annotated[
        bool, typer.Option("--keep-existing", help="Leave documents as they are that the index has already.")
    ] = False,
    sync: Annotated[
        bool,
        typer.Option(
            "--sync", help="Delete from the index what the source has no longer, unless there are dead letters."
        ),
    ] = False,
    max_deletes: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the index that --sync may delete; more is refused.")
    ] = 0.05,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Write into an index that somebody else made; without it, say what that changes."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what an index would be made with and how the first document is analysed."),
    ] = False,
    progress_json: Annotated[
        bool, typer.Option("--progress-json", help="Tell on stderr how far it is: a line of JSON a second, no bar.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put documents into an index: new ones are added, known ones replaced, by their id.

    Records that cannot be used go into a dead-letter file, the rest goes in, and the exit code is 6: `prorank ingest
    replay FILE` reads them once more. A run that was cut off goes on where it stopped when the same command is given
    again.
    """
    from prorank_ingest.dry_run import preview
    from prorank_ingest.passages import PassageSize
    from prorank_ingest.progress import progress_bar, progress_lines
    from prorank_ingest.run import Job
    from prorank_ingest.run import ingest as run
    from prorank_search.protocols import ReaderOptions
    from prorank_search.search import load_backend

    settings = settings_from(backend=backend, url=url, config=config)
    _require_one_wish(sync=sync, in_part=limit is not None or source == REPLAY, keep=keep_existing, replace=replace)
    options = ReaderOptions(
        id_column, title_column, text_column, docstrings=not no_docstrings, select=select, settings=settings
    )
    opened = _open(source, letters, options, reader)
    job = Job(
        source=str(letters or source),
        index=index,
        home=settings.home,
        options=options,
        analysis=analysis,
        replace=replace,
        limit=limit,
        engine=settings.url or "",
        passages=PassageSize(passage_tokens, passage_overlap) if passages else None,
        keep_existing=keep_existing,
        sync=sync,
        max_deletes=max_deletes,
        k1=k1,
        b=b,
    )
    into = load_backend(settings)
    if dry_run:
        echo_json(preview(job, opened, into))
        return
    if adopt:
        for change in into.adopt(index):
            typer.echo(f"{index}: {change}", err=True)
    advice = "what was read so far is kept, to go on type"
    if source == "-":
        advice = "standard input cannot be read again from where it stopped, so pipe all of it once more into"
    progress = progress_lines(opened, partial(typer.echo, err=True)) if progress_json else progress_bar(index, opened)
    with interruptible(advice), progress as (watch, count_bad):
        report = run(job, opened, into, watch=watch, count_bad=count_bad)
    echo_json(report.to_json()) if json else _show(report, sync=sync)
    if report.bad_records:
        raise typer.Exit(FINISHED_WITH_DEAD_LETTERS)


def _open(source: str, letters: Path | None, options: ReaderOptions, reader: str | None) -> Reader:
    """Return the reader of a source, or of the dead letters that are to be replayed."""
    from prorank_ingest.replay import open_letters
    from prorank_ingest.selection import open_source
    from prorank_search.errors import ConfigError

    if source == REPLAY:
        if letters is None:
            raise ConfigError("replay what? Give the file of dead letters: prorank ingest replay FILE --index NAME")
        return open_letters(letters, options)
    if letters is not None:
        raise ConfigError(f"one source at a time: {source!r} and {str(letters)!r} are two")
    return open_source(source, options, reader)


def _require_one_wish(*, sync: bool, in_part: bool, keep: bool, replace: bool) -> None:
    """Refuse flags that ask for opposite things."""
    from prorank_search.errors import ConfigError

    if sync and in_part:
        raise ConfigError(
            "--sync deletes what the source has no longer: it needs all of it, so neither --limit nor replay"
        )
    if keep and replace:
        raise ConfigError("--keep-existing adds to what is there, --replace begins with nothing: give one of them")


def _show(report: Report, *, sync: bool) -> None:
    speed = f"{report.seconds:.1f} s, {report.docs_per_s:,.0f} a second"
    typer.echo(f"{report.index}: {report.documents:,} documents from {report.source} ({speed}), {report.analysis}")
    if report.resumed_from is not None:
        typer.echo(f"went on after the {report.resumed_from:,} records of the run that was cut off")
    if report.kept:
        typer.echo(f"{report.kept:,} documents were there already and are as they were")
    if report.duplicates:
        typer.echo(f"{report.duplicates:,} documents had the id of another one: the last one of each id counts")
    if report.equal_texts:
        typer.echo(f"{report.equal_texts:,} documents have the title and text of another one, under an id of their own")
    if report.deleted is not None:
        typer.echo(f"{report.deleted:,} documents were deleted: the source has them no longer")
    elif sync and report.bad_records:
        typer.echo("nothing was deleted: among the bad records may be what seems to be gone", err=True)
    if report.bad_records:
        typer.echo(f"{report.bad_records:,} bad records, with their reasons: {report.dead_letters}", err=True)
