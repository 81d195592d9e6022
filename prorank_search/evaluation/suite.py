"""A whole suite measured: every system on every collection, with the same queries and candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prorank_search.evaluation.evaluate import Evaluation, measured, with_measures
from prorank_search.evaluation.measures import NDCG, Values, mean, measure
from prorank_search.evaluation.ordering import Tables, order, texts_a_query
from prorank_search.evaluation.suite_candidates import Candidates
from prorank_search.evaluation.suite_file import Suite, SuiteCollection, System, rescorers_of
from prorank_search.evaluation.suite_scores import AllTables
from prorank_search.evaluation.trec_files import Run, run_of
from prorank_search.rescore import keep_order
from prorank_search.types import Blend, RescorerInfo


@dataclass(frozen=True, slots=True)
class Result:
    """One system on one collection.

    Attributes:
        collection: The collection.
        split: Which judgments.
        system: The system.
        evaluation: What was measured.
        sweep: Window to mean nDCG@10; empty where the system has no window of its own to change.
        texts_a_query: How many texts each rescorer reads for a query.
        ms_a_query: What that takes, measured without the score cache; None: not measured.
    """

    collection: SuiteCollection
    split: str
    system: System
    evaluation: Evaluation
    sweep: Mapping[int, float]
    texts_a_query: Mapping[str, int]
    ms_a_query: float | None

    @property
    def values(self) -> Values:
        """Each query's values in the system's order."""
        return self.evaluation.second_stage or self.evaluation.first_stage


@dataclass(frozen=True, slots=True)
class ScoredBy:
    """A rescorer that had a part in a suite, and what it says of itself."""

    rescorer: str
    model: str
    revision: str
    reason: str
    blend: Blend | None


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """All that a suite measured: one `Result` for each collection and system, in the file's order."""

    suite: Suite
    results: Sequence[Result]
    scored_by: Sequence[ScoredBy]

    def of(self, system: str) -> list[Result]:
        """Return one system's results, collection by collection."""
        return [result for result in self.results if result.system.name == system]

    def on(self, collection: str) -> list[Result]:
        """Return one collection's results, system by system."""
        return [result for result in self.results if result.collection.name == collection]


def measure_suite(suite: Suite, everything: Sequence[Candidates], tables: AllTables) -> SuiteResult:
    """Measure every system on every collection; no model is asked.

    Args:
        suite: The suite.
        everything: The candidates of its collections.
        tables: All scores, see `suite_scores.score_all`.
    """
    results = [
        _result(suite, candidates, system, tables[candidates.name])
        for candidates in everything
        for system in suite.systems
    ]
    said = [
        ScoredBy(name, table.info.model, table.revision, table.info.reason, table.info.blend)
        for of_collection in tables.values()
        for name, table in of_collection.items()
    ]
    return SuiteResult(suite, results, list(dict.fromkeys(said)))


def run_of_system(system: System, candidates: Candidates, window_size: int, tables: Tables) -> Run:
    """Return a system's run over a collection."""
    return {
        ranking.query.query_id: run_of(ranking.query.query_id, order(system, ranking, window_size, tables))
        for ranking in candidates.rankings
    }


def _result(suite: Suite, candidates: Candidates, system: System, tables: Tables) -> Result:
    window = system.window_size or candidates.window_size
    used = [tables[name] for name in rescorers_of(system)]
    runs: dict[str, Run] = {
        "first_stage": {
            ranking.query.query_id: run_of(ranking.query.query_id, keep_order(ranking))
            for ranking in candidates.rankings
        }
    }
    info = None
    if used:
        runs["second_stage"] = run_of_system(system, candidates, window, tables)
        reasons = dict.fromkeys(table.info.reason for table in used if table.info.reason)
        info = RescorerInfo(" + ".join(table.info.model for table in used), reason="; ".join(reasons))
    reads = texts_a_query(system, window)
    evaluation = measured(
        candidates.qrels,
        runs,
        {"first_stage": candidates.seconds, "rescore": sum(table.seconds for table in used)},
        max(reads.values(), default=0),
        info,
    )
    return Result(
        collection=candidates.collection,
        split=candidates.split,
        system=system,
        evaluation=with_measures(evaluation, candidates.qrels, suite.measures),
        sweep=_sweep(suite, candidates, system, tables),
        texts_a_query=reads,
        ms_a_query=_ms_a_query(reads, tables),
    )


def _sweep(suite: Suite, candidates: Candidates, system: System, tables: Tables) -> dict[int, float]:
    if not suite.windows or not system.rescorers or system.pick is not None:
        return {}
    whole = system.window_size or candidates.window_size
    windows = sorted({window for window in suite.windows if window < whole})
    return {
        window: mean(measure(candidates.qrels, run_of_system(system, candidates, window, tables), [NDCG]))[NDCG]
        for window in [*windows, whole]
    }


def _ms_a_query(reads: Mapping[str, int], tables: Tables) -> float | None:
    spent = [(texts, tables[name].seconds_a_text) for name, texts in reads.items()]
    known = [1e3 * texts * seconds for texts, seconds in spent if seconds is not None]
    return round(sum(known), 1) if reads and len(known) == len(spent) else None
