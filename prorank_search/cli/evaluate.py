"""`prorank evaluate`: both stages measured on queries with judgments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options
from prorank_search.cli.second_stage import NoCacheOption, interruptible_scoring

if TYPE_CHECKING:
    from rich.table import Table

    from prorank_search.evaluation.comparison import RunComparison
    from prorank_search.evaluation.evaluate import Evaluation
    from prorank_search.evaluation.query_set import JudgedSet
    from prorank_search.profiles import Profile
    from prorank_search.settings import Settings
    from prorank_search.types import Qrel, Query

app = typer.Typer()


@app.command()
def evaluate(
    folder: Annotated[Path | None, typer.Argument(help="A BEIR folder, plain or .gz.")] = None,
    *,
    index: Annotated[str | None, typer.Option("--index", help="Name of the index.")] = None,
    split: Annotated[str, typer.Option("--split", help="Which judgments of the folder.")] = "test",
    no_rescore: options.NoRescoreOption = False,
    limit_queries: Annotated[
        int | None, typer.Option("--limit-queries", min=1, help="Measure a sample of so many queries.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the sample.")] = 0,
    window_size: options.WindowSizeOption = None,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    device: options.DeviceOption = None,
    query_body: options.QueryBodyOption = None,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    run_in: Annotated[
        Path | None, typer.Option("--run-in", help="Measure this TREC run as it is; nothing is searched.")
    ] = None,
    run_out: Annotated[Path | None, typer.Option("--run-out", help="Write the final order as a TREC run.")] = None,
    queries: Annotated[
        Path | None, typer.Option("--queries", help="Queries (id, tab, text; .csv; .jsonl), not the folder's.")
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option("--qrels", help="Judgments (TREC, BEIR or .csv), not the folder's.")
    ] = None,
    query_set: Annotated[
        str | None, typer.Option("--query-set", help="Queries and judgments of the judgment store, not a folder's.")
    ] = None,
    measures: Annotated[
        str, typer.Option("--measures", metavar="LIST", help="Measures besides the usual ones, such as map@100,p@5.")
    ] = "",
    no_cache: NoCacheOption = False,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Measure both stages on queries with judgments."""
    from prorank_search.evaluation.evaluate import evaluate_run, with_measures
    from prorank_search.evaluation.judged import sample
    from prorank_search.evaluation.trec_files import check_writable, read_run, write_run
    from prorank_search.profiles import profile_for

    if run_out is not None:
        check_writable(run_out)
    wanted = _measures(measures)
    of_set = _query_set(query_set, config, [folder, queries, qrels])
    judgments = sample(of_set.qrels if of_set else _qrels(folder, split, qrels), limit_queries, seed)
    if of_set is not None:
        index = index or of_set.index
    if run_in is not None:
        evaluation = evaluate_run(judgments, read_run(run_in))
    else:
        settings = options.settings_from(
            index=index,
            window_size=window_size,
            rescorer=rescorer,
            model=model,
            device=device,
            backend=backend,
            url=url,
            config=config,
        )
        texts = of_set.queries if of_set else _queries(folder, queries)
        with interruptible_scoring(no_cache=no_cache):
            name = _given(index)
            profile = profile_for(settings, name, query_body)
            evaluation = _evaluate(texts, judgments, name, settings, profile, no_rescore=no_rescore, no_cache=no_cache)
    evaluation = with_measures(evaluation, judgments, wanted)
    if run_out is not None:
        write_run(run_out, evaluation.final_run, tag=evaluation.model or "first-stage")
    _warn_where_nothing_was_found(evaluation, index if run_in is None else None)
    collection = _collection(folder, split, qrels, query_set)
    if json:
        options.echo_json(collection | evaluation.to_json())
    else:
        show(evaluation, " ".join(filter(None, collection.values())))


def _warn_where_nothing_was_found(evaluation: Evaluation, index: str | None) -> None:
    from prorank_search.cli.answer import warn
    from prorank_search.evaluation.measures import mean

    if not any(mean(evaluation.first_stage).values()):
        searched = "the run" if index is None else f"the index {index!r}"
        warn(f"no query found a relevant document: do {searched} and the judgments belong together?")


def _given(index: str | None) -> str:
    from prorank_search.errors import ConfigError

    if index is None:
        raise ConfigError("which index is to be measured? Give --index NAME, or a run file with --run-in FILE")
    return index


def _qrels(folder: Path | None, split: str, qrels: Path | None) -> list[Qrel]:
    from prorank_search import beir
    from prorank_search.errors import ConfigError
    from prorank_search.qrels_files import read_qrels

    if qrels is not None:
        return read_qrels(qrels)
    if folder is None:
        raise ConfigError("where are the judgments? Give a BEIR folder, or --queries FILE and --qrels FILE")
    return beir.read_qrels(folder, split)


def _queries(folder: Path | None, queries: Path | None) -> dict[str, Query]:
    from prorank_search import beir
    from prorank_search.errors import ConfigError
    from prorank_search.query_files import read_queries

    if queries is not None:
        return read_queries(queries)
    if folder is None:
        raise ConfigError("where are the queries? Give a BEIR folder, or --queries FILE and --qrels FILE")
    return beir.read_queries(folder)


def _query_set(name: str | None, config: Path | None, files: Sequence[Path | None]) -> JudgedSet | None:
    from prorank_search.errors import ConfigError
    from prorank_search.evaluation.query_set import read_query_set

    if name is None:
        return None
    given = [str(file) for file in files if file is not None]
    if given:
        raise ConfigError(f"--query-set {name} has queries and judgments of its own: leave {', '.join(given)} away")
    return read_query_set(options.settings_from(config=config).home, name)


def _measures(listed: str) -> list[str]:
    from prorank_search.evaluation.measures import check_measure

    return [check_measure(name.strip()) for name in listed.split(",") if name.strip()]


def _collection(folder: Path | None, split: str, qrels: Path | None, query_set: str | None) -> dict[str, str | None]:
    from prorank_search.evaluation.query_set import PERSONS

    if query_set is not None:
        return {"collection": query_set, "split": PERSONS}
    return {"collection": (folder or qrels or Path()).resolve().name, "split": split if qrels is None else None}


def _evaluate(
    queries: Mapping[str, Query],
    qrels: list[Qrel],
    index: str,
    settings: Settings,
    profile: Profile,
    *,
    no_rescore: bool,
    no_cache: bool,
) -> Evaluation:
    from prorank_search.cli.answer import open_backend
    from prorank_search.cli.query_progress import query_progress
    from prorank_search.cli.second_stage import cached_rescorer, options_of
    from prorank_search.evaluation.evaluate import evaluate, first_stage_of
    from prorank_search.evaluation.judged import judged_queries
    from prorank_search.rescore import window_for

    backend = open_backend(settings, index, profile)
    rescorer = None if no_rescore else cached_rescorer(settings, no_cache=no_cache)
    find = first_stage_of(backend, index, profile, rescorer.info if rescorer else None)
    how = options_of(profile, window_for(rescorer, settings.window_size, timeout_s=None))
    with query_progress("queries", len(judged_queries(qrels))) as progress:
        return evaluate(queries, qrels, find, rescorer, how, progress)


def show(evaluation: Evaluation, collection: str) -> None:
    """Print the measures of both stages, and whether chance explains their difference."""
    from rich.console import Console

    typer.echo(f"{collection}, {len(evaluation.first_stage):,} queries")
    Console(highlight=False).print(_table(evaluation))
    if evaluation.comparison is not None:
        typer.echo(_in_words(evaluation.comparison))
    if evaluation.model is not None:
        took = evaluation.took_ms["rescore"] / 1e3
        typer.echo(
            f"{evaluation.model} rescored the first {evaluation.window_size} hits of each query in {took:.1f} s."
        )


def _table(evaluation: Evaluation) -> Table:
    from rich.table import Table

    from prorank_search.evaluation.measures import mean

    table = Table("measure")
    for heading in ("first stage", "second stage", "difference") if evaluation.second_stage else ("value",):
        table.add_column(heading, justify="right")
    first = mean(evaluation.first_stage)
    second = mean(evaluation.second_stage) if evaluation.second_stage else {}
    for name, value in first.items():
        after = [f"{second[name]:.4f}", f"{second[name] - value:+.4f}"] if second else []
        table.add_row(name, f"{value:.4f}", *after)
    return table


def _in_words(comparison: RunComparison) -> str:
    from prorank_search.evaluation.comparison import SIGNIFICANT

    low, high = comparison.ci95
    chance = "chance hardly explains it" if comparison.p_value < SIGNIFICANT else "it may be chance"
    return (
        f"By ndcg@10 the second stage is better on {comparison.wins:,} queries, worse on {comparison.losses:,}, "
        f"equal on {comparison.ties:,}.\n"
        f"Mean difference {comparison.delta:+.4f}, 95% interval {low:+.4f} to {high:+.4f}, "
        f"p = {comparison.p_value:.2g}: {chance}."
    )
