"""`prorank evaluate-suite`: several systems on several collections, side by side."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options
from prorank_search.cli.second_stage import NoCacheOption, interruptible_scoring

if TYPE_CHECKING:
    from collections.abc import Callable

    from prorank_search.evaluation.blend_choice import Tried
    from prorank_search.evaluation.suite import SuiteResult
    from prorank_search.evaluation.suite_candidates import Candidates
    from prorank_search.evaluation.suite_file import Suite, SuiteRescorer
    from prorank_search.evaluation.suite_scores import AllTables
    from prorank_search.protocols import Rescorer
    from prorank_search.settings import Settings

    Score = Callable[[Suite, Path | None], tuple[list[Candidates], AllTables]]
    """Finds a suite's candidates and scores them; tells a folder how far it is."""

app = typer.Typer()

TRIED_SHOWN = 10
"""Blends that the choice shows, of those that were tried."""


@app.command()
def evaluate_suite(
    file: Annotated[Path, typer.Argument(help="A TOML file: which systems, on which collections.")],
    *,
    collections: Annotated[Path, typer.Option("--collections", help="Folder of the suite's BEIR folders.")] = Path(
        "collections"
    ),
    report: Annotated[
        Path | None, typer.Option("--report", help="Write the suite's section of this Markdown page, with pictures.")
    ] = None,
    choose_blend: Annotated[
        str | None,
        typer.Option("--choose-blend", metavar="SYSTEM", help="Try this system with every blend, on dev splits only."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write results.json and queries.jsonl (a line a query) to this folder.")
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            "--scores", help="Keep all scores as files in this folder, and ask no model for what stands there."
        ),
    ] = None,
    no_cache: NoCacheOption = False,
    device: options.DeviceOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Measure several systems on several collections, with the same queries and candidates for each."""
    from prorank_search.errors import ConfigError
    from prorank_search.evaluation.suite_file import read_suite

    suite = read_suite(file)
    if choose_blend is not None and (report is not None or out is not None):
        raise ConfigError("--choose-blend tries blends on dev, --report and --out tell results: give one or the other")
    settings = options.settings_from(device=device, config=config)
    score = partial(_scored, collections=collections, scores=scores, settings=settings, no_cache=no_cache)
    with interruptible_scoring(no_cache=no_cache):
        if choose_blend is not None:
            _choose_blend(suite, choose_blend, score, json=json)
        else:
            answers = _answers(suite, report)
            result = _measure(suite, out, score)
            if report is not None:
                _report(result, file, report, answers)
            _tell(result, report, json=json)


def _measure(suite: Suite, out: Path | None, score: Score) -> SuiteResult:
    from prorank_search.evaluation.suite import measure_suite
    from prorank_search.evaluation.suite_output import write_results

    everything, tables = score(suite, out)
    result = measure_suite(suite, everything, tables)
    if out is not None:
        write_results(out, result, everything)
    return result


def _answers(suite: Suite, report: Path | None) -> dict[str, dict[str, float]]:
    """Read what was measured of the answers, and check that the report can be written, before hours of work."""
    from prorank_search import plugins
    from prorank_search.evaluation.answer_quality import read_answer_quality
    from prorank_search.evaluation.results_page import check_page

    if report is not None:
        check_page(report)
        plugins.require("matplotlib", needed_by="evaluate-suite --report")
    return {
        system.name: read_answer_quality(Path(system.metrics), system.metrics_step)
        for system in suite.systems
        if system.metrics is not None
    }


def _tell(result: SuiteResult, report: Path | None, *, json: bool) -> None:
    from prorank_search.evaluation.suite_summary import to_json

    if json:
        options.echo_json(to_json(result))
    else:
        _show(result, report)


def _choose_blend(suite: Suite, name: str, score: Score, *, json: bool) -> None:
    from prorank_search.errors import ConfigError
    from prorank_search.evaluation.blend_choice import check_dev, choose_blend, variants

    check_dev(suite)
    try:
        system = suite.system(name)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    variants(system)
    alone = suite.model_copy(update={"systems": [system], "rival": None, "timed_queries": 0})
    everything, tables = score(alone, None)
    tried, before = choose_blend(alone, system, everything, tables)
    if json:
        options.echo_json({"system": name, "first_stage": before, "tried": [one.to_json() for one in tried]})
    else:
        _show_tried(name, tried, before)


def _scored(
    suite: Suite, out: Path | None, *, collections: Path, scores: Path | None, settings: Settings, no_cache: bool
) -> tuple[list[Candidates], AllTables]:
    """Find all candidates and score them; where that was begun before, only what is missing."""
    from prorank_search.cli.progress_file import also_in_file
    from prorank_search.cli.query_progress import query_progress
    from prorank_search.cli.second_stage import remembering
    from prorank_search.cli.text_progress import text_progress
    from prorank_search.evaluation.suite_candidates import find_candidates, read_judged
    from prorank_search.evaluation.suite_scores import check_rescorers, score_all

    judged = read_judged(suite, collections, settings.home)

    def open_entry(entry: SuiteRescorer, model: str | None) -> Rescorer:
        return _open(settings, entry, model)

    check_rescorers(suite, open_entry)
    everything = []
    with query_progress("first stage", len(judged)) as searched:
        for number, one in enumerate(judged, start=1):
            everything.append(find_candidates(suite, one, settings))
            searched(number)
    with text_progress() as scored:
        remember = partial(remembering, settings=settings, no_cache=no_cache)
        return everything, score_all(suite, everything, open_entry, remember, also_in_file(out, scored), scores)


def _open(settings: Settings, entry: SuiteRescorer, model: str | None) -> Rescorer:
    from prorank_search.search import load_rescorer

    own = {
        "rescorer": entry.rescorer,
        "model": model,
        "device": entry.device,
        "dtype": entry.dtype,
        "max_length_tokens": entry.max_length_tokens,
    }
    given = {key: value for key, value in own.items() if value is not None}
    return load_rescorer(settings=settings.changed(given))


def _report(result: SuiteResult, file: Path, report: Path, answers: dict[str, dict[str, float]]) -> None:
    from prorank_search.evaluation.results_page import write_section
    from prorank_search.evaluation.results_pictures import draw
    from prorank_search.evaluation.results_section import section

    command = f"prorank evaluate-suite {file} --collections DIR --report {report}"
    write_section(report, result.suite.name, section(result, command, answers, draw(result, report)))


def _show(result: SuiteResult, report: Path | None) -> None:
    from prorank_search.cli.answer import warn
    from prorank_search.evaluation.results_section import legend, quality_rows

    for said in result.scored_by:
        if said.reason:
            warn(f"the figures of {said.rescorer!r} say nothing about ProRank: {said.reason}")
    typer.echo(f"{result.suite.title}\n")
    options.echo_table(*quality_rows(result))
    typer.echo(f"\nndcg@10. {legend(result)}")
    if report is not None:
        typer.echo(f"Every table: {report}")


def _show_tried(name: str, tried: list[Tried], before: dict[str, float]) -> None:
    from prorank_search.evaluation.system_words import describe

    typer.echo(f"{name} with {len(tried)} blends on dev; the mean and each collection's ndcg@10, - where it loses\n")
    rows = [
        [describe(one.system), f"{one.ndcg:.4f}", *(_worth(one, name) for name in before)]
        for one in tried[:TRIED_SHOWN]
    ]
    first = ["first stage", "", *(f"{value:.4f}" for value in before.values())]
    options.echo_table(["blend", "mean", *before], [*rows, first])


def _worth(tried: Tried, collection: str) -> str:
    return f"{tried.by_collection[collection]:.4f}{' -' if collection in tried.losses else ''}"
