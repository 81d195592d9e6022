"""`prorank rescore`: any TREC run, rescored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prorank_search.cli import options
from prorank_search.cli.second_stage import NoCacheOption

app = typer.Typer()


@app.command()
def rescore(
    run: Annotated[Path, typer.Argument(help="A TREC run file.")],
    *,
    queries: Annotated[Path, typer.Option("--queries", help="Queries: id, tab, text; or .csv, .jsonl.")],
    corpus: Annotated[Path, typer.Option("--corpus", help="The run's documents: a BEIR folder or a corpus.jsonl.")],
    run_out: Annotated[Path, typer.Option("--run-out", help="Where the new run goes.")],
    window_size: options.WindowSizeOption = None,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    device: options.DeviceOption = None,
    no_cache: NoCacheOption = False,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Rescore a TREC run file."""
    from prorank_search.beir import read_corpus
    from prorank_search.cli.query_progress import query_progress
    from prorank_search.cli.second_stage import cached_rescorer, interruptible_scoring, options_of
    from prorank_search.evaluation.rescore_run import documents_of, rescore_run
    from prorank_search.evaluation.trec_files import check_writable, read_run, write_run
    from prorank_search.profiles import Profile
    from prorank_search.query_files import read_queries
    from prorank_search.rescore import window_for

    check_writable(run_out)
    before, texts = read_run(run), read_queries(queries)
    settings = options.settings_from(
        window_size=window_size, rescorer=rescorer, model=model, device=device, config=config
    )
    second_stage = cached_rescorer(settings, no_cache=no_cache)
    window = window_for(second_stage, settings.window_size, timeout_s=None)
    documents = documents_of(before, read_corpus(corpus), window)
    with interruptible_scoring(no_cache=no_cache), query_progress("queries", len(before)) as progress:
        after = rescore_run(before, texts, documents, second_stage, options_of(Profile(), window), progress)
    write_run(run_out, after, tag=second_stage.info.model)
    if json:
        report = {"queries": len(after), "window_size": window, "model": second_stage.info.model}
        options.echo_json(report | {"run_out": str(run_out)})
    else:
        typer.echo(f"{second_stage.info.model} rescored the first {window} hits of {len(after):,} queries: {run_out}")
