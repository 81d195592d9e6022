"""`prorank demo`: both stages on Python's own documentation, so that nobody has to believe one lucky query."""

from __future__ import annotations

import shlex
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from prorank_search.cli.demo_corpus import Question
    from prorank_search.evaluation.evaluate import Evaluation
    from prorank_search.movement import Comparison
    from prorank_search.protocols import IndexBackend, Rescorer

app = typer.Typer()

SHOWN = 5
"""Hits of each list that a comparison shows."""


@app.command()
def demo(
    *,
    window_size: options.WindowSizeOption = "20",
    queries: Annotated[int, typer.Option("--queries", min=1, help="Functions that the evaluation asks for.")] = 25,
    seed: Annotated[int, typer.Option("--seed", help="Of their choice.")] = 0,
    url: options.UrlOption = None,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    device: options.DeviceOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Search Python's own documentation, compare both stages on three questions, and measure them."""
    from prorank_search.cli.answer import warn
    from prorank_search.cli.demo_corpus import ingest_missing
    from prorank_search.rescore import window_for
    from prorank_search.search import load_backend, load_rescorer

    settings = options.settings_from(
        window_size=window_size,
        rescorer=rescorer,
        model=model,
        device=device,
        config=config,
        backend="tantivy" if url is None else None,
        url=url,
        timeout_s="none",
    )
    second_stage, backend = load_rescorer(settings=settings), load_backend(settings)
    window = window_for(second_stage, settings.window_size, timeout_s=None)
    if second_stage.info.reason:
        warn(f"what follows says nothing about ProRank: {second_stage.info.reason}")
    seconds = ingest_missing(settings, backend)
    if not json:
        _show_indexes(backend, seconds)
    comparisons = _comparisons(backend, second_stage, window)
    if not json:
        _show_comparisons(comparisons)
    evaluation = _evaluation(backend, second_stage, window, queries, seed)
    if json:
        options.echo_json(_plain(seconds, comparisons, evaluation))
    else:
        _show_evaluation(evaluation)


def _comparisons(backend: IndexBackend, rescorer: Rescorer, window: int) -> list[tuple[Question, Comparison]]:
    from prorank_search.cli.demo_corpus import QUESTIONS
    from prorank_search.cli.query_progress import query_progress
    from prorank_search.movement import compare
    from prorank_search.search import search

    told = []
    with query_progress("questions", len(QUESTIONS)) as progress:
        for number, question in enumerate(QUESTIONS, start=1):
            result = search(
                question.text,
                index=question.index,
                backend=backend,
                rescorer=rescorer,
                top_k=SHOWN,
                window_size=window,
                timeout_s=None,
                whole_window=True,
            )
            told.append((question, compare(result, SHOWN)))
            progress(number)
    return told


def _evaluation(backend: IndexBackend, rescorer: Rescorer, window: int, queries: int, seed: int) -> Evaluation:
    from prorank_search.cli.demo_corpus import FUNCTIONS
    from prorank_search.cli.query_progress import query_progress
    from prorank_search.cli.second_stage import options_of
    from prorank_search.evaluation.docstring_queries import KINDS, docstring_queries
    from prorank_search.evaluation.evaluate import evaluate, first_stage_of
    from prorank_search.profiles import Profile

    profile = Profile(filter={"kind": KINDS})
    sentences, qrels = docstring_queries(backend.scan(FUNCTIONS.index), queries, seed)
    find = first_stage_of(backend, FUNCTIONS.index, profile)
    with query_progress("queries", len(sentences)) as progress:
        return evaluate(sentences, qrels, find, rescorer, options_of(profile, window), progress)


def _show_indexes(backend: IndexBackend, seconds: dict[str, float]) -> None:
    from prorank_search.cli.demo_corpus import CORPORA

    typer.echo("Python itself, in three indexes:")
    for corpus in CORPORA:
        took = f"ingested in {seconds[corpus.index]:.1f} s" if seconds[corpus.index] else "was there"
        typer.echo(f"  {corpus.index}: {corpus.about}, {backend.count(corpus.index):,} documents, {took}")


def _show_comparisons(comparisons: list[tuple[Question, Comparison]]) -> None:
    from prorank_search.cli.compare import show

    for question, comparison in comparisons:
        typer.secho(f"\n{question.text}?", bold=True)
        show(comparison, SHOWN)
        places = [f"{doc_id} {before} -> {after}" for doc_id, (before, after) in _places(question, comparison).items()]
        typer.echo(f"The answer stands in {', '.join(places) or 'none of these hits'} (rank before -> after).")


def _places(question: Question, comparison: Comparison) -> dict[str, tuple[int, int]]:
    """Return the rank before and after of each answer that was found."""
    return {
        hit.document.doc_id: (hit.first_stage_rank, hit.rank)
        for hit in comparison.result.hits
        if hit.document.doc_id in question.answers
    }


def _show_evaluation(evaluation: Evaluation) -> None:
    from prorank_search.cli.evaluate import show

    typer.echo(
        "\nOne question proves nothing. So for functions picked at random: the first sentence of the docstring is the\n"
        "query, and the function is to be found among all functions, without their docstrings."
    )
    show(evaluation, "python-functions")
    if evaluation.reason:
        typer.secho(f"These figures say nothing about ProRank: {evaluation.reason}.", fg="yellow", bold=True)
    typer.echo("\nNext, the web interface, and a corpus of your own:")
    for line in _next_lines():
        typer.echo(f"  {line}")


def _next_lines() -> tuple[str, str]:
    script = Path(sysconfig.get_path("scripts"), "prorank")
    if shutil.which("prorank") == str(script):
        command = "prorank"
    else:
        here = Path.cwd()
        command = shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))
    return f"{command} ui", f"{command} ingest FOLDER --index mine"


def _plain(
    seconds: dict[str, float], comparisons: list[tuple[Question, Comparison]], evaluation: Evaluation
) -> dict[str, object]:
    return {
        "ingest_seconds": seconds,
        "comparisons": [
            {"index": question.index, "answers": _places(question, comparison), **comparison.to_json()}
            for question, comparison in comparisons
        ],
        "evaluation": {"collection": "python-functions", "split": None, **evaluation.to_json()},
        "reason": evaluation.reason,
        "next": list(_next_lines()),
    }
