"""Whole evaluations: both stages over queries with judgments, or a run file as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from prorank_search.evaluation.comparison import RunComparison, compare_runs
from prorank_search.evaluation.judged import own_documents, queries_of
from prorank_search.evaluation.measures import DEPTH, MEASURES, Values, mean, measure, of_measure
from prorank_search.evaluation.trec_files import Run, run_of
from prorank_search.profiles import Profile
from prorank_search.protocols import Rescorer, SearchBackend
from prorank_search.rescore import RescoreOptions, keep_order, rescore
from prorank_search.types import Qrel, Query, Ranking, RescorerInfo

FirstStage = Callable[[Sequence[Query], int], list[Ranking]]
"""Finds the best so many documents of each query."""

Progress = Callable[[int], None]
"""Told how many queries are done."""

_QUERIES_AT_ONCE = 16
_NOTHING_YET = {"first_stage": 0.0, "rescore": 0.0}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        first_stage: Each query's values before rescoring.
        second_stage: The same after it; None where nothing was rescored.
        comparison: The second stage against the first by nDCG@10; None where nothing was rescored.
        runs: Each stage's run, by the stage's name.
        window_size: First-stage hits that were rescored; 0 where nothing was.
        model: The rescorer's model; None where nothing was rescored.
        reason: Why the rescorer's scores should not be trusted; empty: nothing to say.
        took_ms: Milliseconds of `first_stage`, `rescore` and `total`, over all queries.
    """

    first_stage: Values
    second_stage: Values | None
    comparison: RunComparison | None
    runs: Mapping[str, Run]
    window_size: int
    model: str | None
    reason: str
    took_ms: Mapping[str, float]

    @property
    def final_run(self) -> Run:
        """The last stage's run."""
        return self.runs.get("second_stage", self.runs["first_stage"])

    def to_json(self) -> dict[str, object]:
        """Return plain values: the means over all queries, without runs."""
        return {
            "queries": len(self.first_stage),
            "window_size": self.window_size,
            "model": self.model,
            "first_stage": mean(self.first_stage),
            "second_stage": mean(self.second_stage) if self.second_stage else None,
            "comparison": self.comparison.to_json() if self.comparison else None,
            "took_ms": dict(self.took_ms),
        }


def first_stage_of(
    backend: SearchBackend, index: str, profile: Profile, second_stage: RescorerInfo | None = None
) -> FirstStage:
    """Return the first stage that searches an index as its profile says, for a second stage where there is one."""

    def find(queries: Sequence[Query], top_k: int) -> list[Ranking]:
        return backend.search_many([profile.request(index, query, top_k, second_stage) for query in queries])

    return find


def evaluate(
    queries: Mapping[str, Query],
    qrels: Sequence[Qrel],
    find: FirstStage,
    rescorer: Rescorer | None = None,
    options: RescoreOptions | None = None,
    progress: Progress = lambda _: None,
) -> Evaluation:
    """Measure both stages over all judged queries that have a relevant document.

    A query's own document (one with the query's id that was not judged relevant for it) is dropped.

    Args:
        queries: Texts by `query_id`.
        qrels: The judgments.
        find: The first stage, see `first_stage_of`; its best 100 hits count.
        rescorer: The second stage; None measures the first alone.
        options: Window, blend and the rest; None: the rescorer's own window and blend. A failing rescorer raises,
            and there is no deadline, whatever the options say: an order that was kept would count as its own.
        progress: Told how many queries are done.

    Raises:
        InputError: A query has no text, or none has a relevant document.
        BackendError: The first stage failed.
        RescorerError: The second stage failed.
    """
    judged = queries_of(qrels, queries)
    window = 0 if rescorer is None else options.window_size if options else rescorer.info.window_size
    options = replace(options or RescoreOptions(window), on_failure="error", deadline=None, cancelled=None)
    runs: dict[str, Run] = {"first_stage": {}, "second_stage": {}} if rescorer else {"first_stage": {}}
    seconds = dict(_NOTHING_YET)
    for number, (ranking, took) in enumerate(rankings(judged, find, max(DEPTH, window), own_documents(qrels)), 1):
        query_id = ranking.query.query_id
        seconds["first_stage"] += took
        runs["first_stage"][query_id] = run_of(query_id, keep_order(ranking))
        if rescorer is not None:
            started = time.monotonic()
            runs["second_stage"][query_id] = run_of(query_id, rescore(ranking, rescorer, options)[0])
            seconds["rescore"] += time.monotonic() - started
        progress(number)
    return measured(qrels, runs, seconds, window, rescorer.info if rescorer else None)


def evaluate_run(qrels: Sequence[Qrel], run: Run) -> Evaluation:
    """Measure a run as it is; of a query's own document the same holds as in `evaluate`."""
    dropped = own_documents(qrels)
    kept = {
        query_id: [scored for scored in docs if scored.doc_id != query_id or query_id not in dropped]
        for query_id, docs in run.items()
    }
    return measured(qrels, {"first_stage": kept}, _NOTHING_YET)


def with_measures(evaluation: Evaluation, qrels: Sequence[Qrel], names: Iterable[str]) -> Evaluation:
    """Return an evaluation with these measures of its runs, besides the usual ones.

    Args:
        evaluation: The evaluation.
        qrels: The judgments that it was made with.
        names: Measures, see `measure`.

    Raises:
        InputError: There is no such measure.
    """
    wanted = list(dict.fromkeys([*MEASURES, *names]))
    if wanted == list(MEASURES):
        return evaluation
    values = {stage: measure(qrels, run, wanted) for stage, run in evaluation.runs.items()}
    return replace(evaluation, first_stage=values["first_stage"], second_stage=values.get("second_stage"))


def rankings(queries: Sequence[Query], find: FirstStage, depth: int, own: set[str]) -> Iterator[tuple[Ranking, float]]:
    """Yield each query's ranking without its own document, and the seconds it took.

    Args:
        queries: The queries.
        find: The first stage.
        depth: Hits wanted.
        own: Queries whose own document is dropped, see `own_documents`.
    """
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        batch = queries[start : start + _QUERIES_AT_ONCE]
        started = time.monotonic()
        found = find(batch, depth + 1)  # one more than wanted: the query's own document may be among them
        took = (time.monotonic() - started) / len(batch)
        for query, ranking in zip(batch, found, strict=True):
            hits = [hit for hit in ranking.hits if hit.document.doc_id != query.query_id or query.query_id not in own]
            yield Ranking(query, tuple(hits[:depth])), took


def measured(
    qrels: Sequence[Qrel],
    runs: Mapping[str, Run],
    seconds: Mapping[str, float],
    window_size: int = 0,
    info: RescorerInfo | None = None,
) -> Evaluation:
    """Measure the runs of both stages, or of the first alone.

    Args:
        qrels: The judgments.
        runs: Each stage's run: `first_stage`, and `second_stage` where something was rescored.
        seconds: What each stage took over all queries.
        window_size: First-stage hits that were rescored.
        info: What the rescorer says of itself; None where nothing was rescored.
    """
    values = {stage: measure(qrels, run) for stage, run in runs.items()}
    first, second = values["first_stage"], values.get("second_stage")
    took_ms = {**seconds, "total": sum(seconds.values())}
    return Evaluation(
        first_stage=first,
        second_stage=second,
        comparison=compare_runs(of_measure(first), of_measure(second)) if second else None,
        runs=runs,
        window_size=window_size,
        model=info.model if info else None,
        reason=info.reason if info else "",
        took_ms={stage: round(1e3 * spent, 1) for stage, spent in took_ms.items()},
    )
