"""`prorank ingest`."""

from __future__ import annotations

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

FINISHED_WITH_DEAD_LETTERS = 6

app = typer.Typer(add_completion=False)


@app.command()
def ingest(
    source: Annotated[
        str,
        typer.Argument(
            help="A BEIR folder; a .jsonl, .csv or .tsv file (.gz or .zst too); a .parquet, .html or .pdf file; a "
            "folder of texts, Markdown, code, pages; a database's SQLAlchemy URL, with --select; the import name of a "
            "Python package (read, never imported); stdlib; python-topics; - for JSON Lines on stdin."
        ),
    ],
    index: IndexOption,
    replace: Annotated[
        bool, typer.Option("--replace", help="Build a new version beside the old one, then swap; else: upsert by id.")
    ] = False,
    backend: BackendOption = None,
    url: UrlOption = None,
    analysis: Annotated[str, typer.Option(help="auto, english, standard, code or chinese.")] = "auto",
    reader: Annotated[str | None, typer.Option(help="The reader to use, where several could read the source.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column or key of the id; else _id, id or doc_id.")] = None,
    title_column: Annotated[str | None, typer.Option(help="Column or key of the title; else title.")] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column or key of the text; else text, contents, content or body.")
    ] = None,
    no_docstrings: Annotated[bool, typer.Option("--no-docstrings", help="Python code without its docstrings.")] = False,
    select: Annotated[str | None, typer.Option(help="The SELECT that a database is asked, with an ORDER BY.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Records that are read at most.")] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put documents into an index: new ones are added, known ones replaced, by their id.

    Records that cannot be used go into a dead-letter file, the rest goes in, and the exit code is 6. A run that was
    cut off goes on where it stopped when the same command is given again.
    """
    from prorank_ingest.progress import progress_bar
    from prorank_ingest.run import Job
    from prorank_ingest.run import ingest as run
    from prorank_ingest.selection import open_source
    from prorank_search.protocols import ReaderOptions
    from prorank_search.search import load_backend

    settings = settings_from(backend=backend, url=url, config=config)
    options = ReaderOptions(id_column, title_column, text_column, docstrings=not no_docstrings, select=select)
    job = Job(source, index, settings.home, options, analysis, replace, limit, settings.url or "")
    opened = open_source(source, options, reader)
    advice = "what was read so far is kept, to go on type"
    if source == "-":
        advice = "standard input cannot be read again from where it stopped, so pipe all of it once more into"
    with interruptible(advice), progress_bar(index) as watch:
        report = run(job, opened, load_backend(settings), watch=watch)
    echo_json(report.to_json()) if json else _show(report)
    if report.bad_records:
        raise typer.Exit(FINISHED_WITH_DEAD_LETTERS)


def _show(report: Report) -> None:
    speed = f"{report.seconds:.1f} s, {report.docs_per_s:,.0f} a second"
    typer.echo(f"{report.index}: {report.documents:,} documents from {report.source} ({speed}), {report.analysis}")
    if report.resumed_from is not None:
        typer.echo(f"went on after the {report.resumed_from:,} records of the run that was cut off")
    if report.duplicates:
        typer.echo(f"{report.duplicates:,} documents had the id of another one: the last one of each id counts")
    if report.bad_records:
        typer.echo(f"{report.bad_records:,} bad records, with their reasons: {report.dead_letters}", err=True)
