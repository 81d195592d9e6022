"""What runs of an evaluation say together: systems side by side, query by query. Pure, but for the files it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from prorank_search.errors import InputError
from prorank_search.evaluation.comparison import RunComparison, compare_runs, holm
from prorank_search.evaluation.measures import Values
from prorank_search.evaluation.suite_output import Results, read_results
from prorank_search.jobs import Job
from prorank_ui.choices import Side, side_of
from prorank_ui.drawing.wording import apart, minute
from prorank_ui.evaluate.evaluating import PLACE

Kind = Literal["better", "worse", "equal"]
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Measured:
    """One system as one run measured it.

    Attributes:
        name: What it is called, once in a table.
        side: How it searches.
        values: Each query's values.
        sweep: Hits rescored to mean nDCG@10.
        ms_a_query: What rescoring takes, without the score cache; None: not measured.
    """

    name: str
    side: Side
    values: Values
    sweep: Mapping[int, float]
    ms_a_query: float | None


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """A run that ended.

    Attributes:
        job_id: Its job.
        title: What a list shows.
        started: When, such as 2026-11-24 18:30 (UTC).
        index: The index that was searched.
        query_set: The query set; empty: it was a BEIR folder.
        queries: Texts by `query_id`.
        unjudged: Documents among the first ten of some system that nobody judged, by `query_id`; a query without
            such is not there.
        systems: What it measured.
        warnings: What the second stages say against their own scores.
    """

    job_id: str
    title: str
    started: str
    index: str
    query_set: str
    queries: Mapping[str, str]
    unjudged: Mapping[str, Sequence[str]]
    systems: Sequence[Measured]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A system in the table.

    Attributes:
        name: Its name.
        mean: Of the measure.
        comparison: Against the baseline; None: it is the baseline.
        p_holm: Holm-corrected over the systems of the table.
    """

    name: str
    mean: float
    comparison: RunComparison | None
    p_holm: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """A query under two systems."""

    query_id: str
    query: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """By how much the second one is better."""
        return self.after - self.before

    @property
    def kind(self) -> Kind:
        """Whether the second one is better."""
        if abs(self.difference) <= _TIE:
            return "equal"
        return "better" if self.difference > 0 else "worse"


def read_run(job: Job) -> EvaluationRun:
    """Read what a job measured.

    Raises:
        InputError: It has no results, or they were written by another version.
    """
    results = read_results(job.folder)
    sides = job.about.get("sides")
    sides = sides if isinstance(sides, dict) else {}
    return EvaluationRun(
        job_id=job.job_id,
        title=job.title,
        started=minute(job.created),
        index=str(job.about.get("index", "")),
        query_set=str(job.about.get("query_set", "")),
        queries={one.query_id: one.query for one in results.queries},
        unjudged={one.query_id: one.unjudged for one in results.queries if one.unjudged},
        systems=[_measured(results, run, sides) for run in results.runs],
        warnings=[f"{said['rescorer']}: {said['reason']}" for said in results.rescorers if said["reason"]],
    )


def together(runs: Sequence[EvaluationRun]) -> tuple[Mapping[str, str], list[Measured]]:
    """Return the queries that all runs have in common, and all their systems with values of these queries.

    A system that several runs have bears its run's start in its name.

    Raises:
        InputError: The runs have no query in common.
    """
    first, *others = runs
    queries = {
        query_id: text
        for query_id, text in first.queries.items()
        if all(other.queries.get(query_id) == text for other in others)
    }
    if not queries:
        raise InputError("these runs have no query in common: choose runs over the same queries")
    systems = []
    started = apart({run.job_id: run.started for run in runs})
    for run in runs:
        for system in run.systems:
            twice = sum(system.name == other.name for one in runs for other in one.systems) > 1
            name = f"{system.name} ({started[run.job_id]})" if twice else system.name
            values = {query_id: system.values[query_id] for query_id in queries}
            systems.append(replace(system, name=name, values=values))
    return queries, systems


def standings(systems: Sequence[Measured], measure: str, baseline: str) -> list[Standing]:
    """Compare every system with one of them.

    Args:
        systems: All of them, over the same queries.
        measure: Name of the measure.
        baseline: Name of the system that the others are compared with.
    """
    of_measure = {one.name: {query: row[measure] for query, row in one.values.items()} for one in systems}
    comparisons = {
        name: compare_runs(of_measure[baseline], values) for name, values in of_measure.items() if name != baseline
    }
    p_holm = holm({name: comparison.p_value for name, comparison in comparisons.items()})
    return [
        Standing(name, fmean(values.values()), comparisons.get(name), p_holm.get(name))
        for name, values in of_measure.items()
    ]


def changes(queries: Mapping[str, str], measure: str, before: Measured, after: Measured) -> list[Change]:
    """Return every query under two systems, the largest change first, of equals what got worse."""
    found = [
        Change(query_id, text, before.values[query_id][measure], after.values[query_id][measure])
        for query_id, text in queries.items()
    ]
    return sorted(found, key=lambda change: (-round(abs(change.difference), 9), change.difference))


def _measured(results: Results, run: Mapping[str, object], sides: Mapping[str, Mapping[str, str]]) -> Measured:
    name = str(run["system"])
    sweep, ms_a_query = run["sweep"], run["ms_a_query"]
    return Measured(
        name=name,
        side=side_of(PLACE, sides.get(name, {}), Side()),
        values={one.query_id: one.values[name] for one in results.queries},
        sweep={point["window_size"]: point["ndcg@10"] for point in sweep} if isinstance(sweep, list) else {},
        ms_a_query=ms_a_query if isinstance(ms_a_query, float) else None,
    )
