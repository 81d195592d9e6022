"""One suite's results as Markdown: what was run, every table, the losses among them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from prorank_search.evaluation.answer_quality import COLUMNS
from prorank_search.evaluation.comparison import SIGNIFICANT, RunComparison
from prorank_search.evaluation.measures import MRR, NDCG, mean
from prorank_search.evaluation.provenance import code_revision, machine
from prorank_search.evaluation.suite import Result, SuiteResult
from prorank_search.evaluation.suite_file import SuiteRescorer, System
from prorank_search.evaluation.suite_summary import (
    ALL,
    Key,
    against_first_stage,
    against_rival,
    corrected,
    does_harm,
    groups,
    means,
)
from prorank_search.evaluation.system_words import describe

BETTER, WORSE = "▲", "▼"

_FIRST_STAGE = "first stage"


def section(
    result: SuiteResult,
    command: str,
    answer_quality: Mapping[str, Mapping[str, float]],
    pictures: Mapping[str, str],
) -> str:
    """Return a suite's section of the results page.

    Args:
        result: What was measured.
        command: The command that did it.
        answer_quality: System to what was measured of its answers, see `answer_quality.read_answer_quality`.
        pictures: What a picture shows to where it lies, relative to the page.
    """
    parts = [
        f"## {result.suite.title}",
        _what_was_run(result, command),
        _table(["rescorer", "model", "device", "revision"], _rescorers(result)),
        _table(["system", "order"], _systems(result)),
        *_warnings(result),
        f"### {NDCG}",
        legend(result),
        _table(*quality_rows(result)),
        *_losses(result),
        *(f"![{shown}]({place})" for shown, place in pictures.items()),
        f"### {MRR}",
        _table(*quality_rows(result, MRR)),
        "### Against the first stage",
        _comparisons(result, against_first_stage(result)),
    ]
    if result.suite.rival is not None:
        parts += [f"### Against {result.suite.rival}", _comparisons(result, against_rival(result))]
    if result.suite.windows:
        parts += ["### By window", f"Mean {NDCG} of the collections that are counted.", _table(*_sweep(result))]
    parts += ["### Cost", _table(["system", "texts a query", "ms a query"], _costs(result)), *_how_timed(result)]
    if answer_quality:
        parts += ["### The answers themselves", _table(*_answers(result, answer_quality))]
    return "\n\n".join(parts)


def _what_was_run(result: SuiteResult, command: str) -> str:
    suite = result.suite
    chosen = "all queries" if suite.limit_queries is None else f"{suite.limit_queries} queries (all where fewer)"
    systems = "The same queries and candidates for every system"
    return (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {code_revision()}, on {machine()}. {systems}: {chosen} of each "
        f"collection, seed {suite.seed}, the first {suite.window_size} hits rescored.\n\n```sh\n{command}\n```"
    )


def _rescorers(result: SuiteResult) -> Iterator[list[str]]:
    for said in result.scored_by:
        entry: SuiteRescorer = result.suite.rescorers[said.rescorer]
        yield [said.rescorer, said.model, entry.device or "auto", f"`{said.revision}`"]


def _systems(result: SuiteResult) -> Iterator[list[str]]:
    own = {said.rescorer: said.blend for said in result.scored_by}
    for system in result.suite.systems:
        yield [system.name, describe(system, own[system.rescorers[0]] if system.rescorers else None)]


def _warnings(result: SuiteResult) -> list[str]:
    return [f"**{said.model}: {said.reason}.**" for said in result.scored_by if said.reason]


def legend(result: SuiteResult) -> str:
    """Return what the marks in `quality_rows` mean, and which collections are in no mean."""
    apart = [collection.name for collection in result.suite.collections if collection.apart]
    text = (
        f"{BETTER} better than the first stage (paired permutation test, Holm-corrected over the collections, "
        f"p < {SIGNIFICANT}); {WORSE} does harm: worse, p < {SIGNIFICANT} even before the correction."
    )
    return f"{text} Apart, in no mean: {', '.join(apart)}." if apart else text


def quality_rows(result: SuiteResult, measure: str = NDCG) -> tuple[list[str], list[list[str]]]:
    """Return the main table's headings and rows: collections by language with their means, then those apart."""
    suite, marks = result.suite, _marks(result) if measure == NDCG else {}
    own_column = [] if any(not system.rescorers for system in suite.systems) else [_FIRST_STAGE]
    headings = ["collection", "split", "queries", *own_column, *(system.name for system in suite.systems)]
    of_group = means(result, measure)
    rows = []
    for group, names in groups(result).items():
        if group != ALL:
            rows += [_row(result, name, measure, marks, own_column) for name in names]
        if names:
            rows.append(_mean_row(result, group, names, measure, own_column, of_group))
    apart = [collection.name for collection in suite.collections if collection.apart]
    return headings, rows + [_row(result, name, measure, marks, own_column) for name in apart]


def _row(
    result: SuiteResult, collection: str, measure: str, marks: Mapping[Key, str], own_column: Sequence[str]
) -> list[str]:
    results = result.on(collection)
    first = mean(results[0].evaluation.first_stage)[measure]
    values = [f"{mean(one.values)[measure]:.3f}{marks.get((one.system.name, collection), '')}" for one in results]
    return [collection, results[0].split, str(len(results[0].values)), *(f"{first:.3f}" for _ in own_column), *values]


def _mean_row(
    result: SuiteResult,
    group: str,
    names: Sequence[str],
    measure: str,
    own_column: Sequence[str],
    of_group: Mapping[str, Mapping[str, float]],
) -> list[str]:
    first = fmean(mean(result.on(name)[0].evaluation.first_stage)[measure] for name in names)
    values = [first for _ in own_column] + [of_group[group][system.name] for system in result.suite.systems]
    return [f"mean, {group} ({len(names)})", "", "", *(f"{value:.3f}" for value in values)]


def _marks(result: SuiteResult) -> dict[Key, str]:
    comparisons = against_first_stage(result)
    p_holm = corrected(result.suite, {key: comparison.p_value for key, comparison in comparisons.items()})
    return {key: _mark(comparison, p_holm[key]) for key, comparison in comparisons.items()}


def _mark(comparison: RunComparison, p_holm: float) -> str:
    if does_harm(comparison):
        return f" {WORSE}"
    return f" {BETTER}" if comparison.delta > 0 and p_holm < SIGNIFICANT else ""


def _losses(result: SuiteResult) -> Iterator[str]:
    """Yield for each system where it is below the first stage, significantly or not."""
    for system in result.suite.systems:
        below = [
            f"{one.collection.name} ({one.evaluation.comparison.delta:+.3f})"
            for one in result.of(system.name)
            if one.evaluation.comparison is not None and one.evaluation.comparison.delta < 0
        ]
        if below:
            yield f"{system.name} is below the first stage on {', '.join(below)}."


def _comparisons(result: SuiteResult, comparisons: Mapping[Key, RunComparison]) -> str:
    p_holm = corrected(result.suite, {key: comparison.p_value for key, comparison in comparisons.items()})
    headings = [
        "system",
        "collection",
        f"difference of {NDCG}",
        "95 % interval",
        "better",
        "equal",
        "worse",
        "p",
        "p, Holm",
    ]
    rows = []
    for key, comparison in _in_order(result, comparisons):
        low, high = comparison.ci95
        counts = [str(count) for count in (comparison.wins, comparison.ties, comparison.losses)]
        rows.append(
            [
                *key,
                f"{comparison.delta:+.3f}{_mark(comparison, p_holm[key])}",
                f"{low:+.3f} to {high:+.3f}",
                *counts,
                f"{comparison.p_value:.2g}",
                f"{p_holm[key]:.2g}",
            ]
        )
    return _table(headings, rows)


def _in_order(result: SuiteResult, comparisons: Mapping[Key, RunComparison]) -> Iterator[tuple[Key, RunComparison]]:
    for system in result.suite.systems:
        for collection in result.suite.collections:
            key = (system.name, collection.name)
            if key in comparisons:
                yield key, comparisons[key]


def _sweep(result: SuiteResult) -> tuple[list[str], list[list[str]]]:
    swept = {system.name: sweep_of(result, groups(result)[ALL], system) for system in result.suite.systems}
    swept = {name: points for name, points in swept.items() if points}
    windows = sorted({window for points in swept.values() for window in points})
    rows = [
        [name, *(f"{points[window]:.3f}" if window in points else "" for window in windows)]
        for name, points in swept.items()
    ]
    return ["system", *map(str, windows)], rows


def sweep_of(result: SuiteResult, names: Sequence[str], system: System) -> dict[int, float]:
    """Return a system's mean nDCG@10 over some collections at every window that all of them have."""
    sweeps = [one.sweep for one in result.of(system.name) if one.collection.name in names]
    shared = set.intersection(*(set(sweep) for sweep in sweeps)) if sweeps else set()
    return {window: fmean(sweep[window] for sweep in sweeps) for window in sorted(shared)}


def _costs(result: SuiteResult) -> Iterator[list[str]]:
    for system in result.suite.systems:
        results = result.of(system.name)
        reads: dict[str, set[int]] = {}
        for one in results:
            for name, texts in one.texts_a_query.items():
                reads.setdefault(name, set()).add(texts)
        shown = [f"{name}: {' or '.join(map(str, sorted(counts)))}" for name, counts in reads.items()]
        yield [system.name, ", ".join(shown) or "0", _mean_ms(results)]


def _how_timed(result: SuiteResult) -> list[str]:
    timed = result.suite.timed_queries
    text = (
        "Time: of the second stage alone, without the score cache; the mean over the collections, queries timed one "
        f"after another: {timed} of each."
    )
    return [text] if timed else []


def _mean_ms(results: Sequence[Result]) -> str:
    known = [one.ms_a_query for one in results if one.ms_a_query is not None]
    return f"{fmean(known):,.0f}" if known else ""


def _answers(
    result: SuiteResult, answer_quality: Mapping[str, Mapping[str, float]]
) -> tuple[list[str], list[list[str]]]:
    columns = [name for name in COLUMNS if any(name in measured for measured in answer_quality.values())]
    rows = []
    for system in result.suite.systems:
        measured = answer_quality.get(system.name, {})
        means = [mean(one.values) for one in _counted(result, system)]
        cells = [f"{measured[name]:.3f}" if name in measured else "" for name in columns]
        rows.append([system.name, *cells, *(f"{fmean(row[name] for row in means):.3f}" for name in (NDCG, MRR))])
    return ["system", *(COLUMNS[name] for name in columns), f"mean {NDCG}", f"mean {MRR}"], rows


def _counted(result: SuiteResult, system: System) -> list[Result]:
    names = groups(result)[ALL]
    return [one for one in result.of(system.name) if one.collection.name in names]


def _table(headings: Sequence[str], rows: Iterator[list[str]] | Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
