"""Hits that a run showed and nobody judged, put in front of the judges."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prorank_search.evaluation.evaluate import FirstStage
from prorank_search.evaluation.suite_output import LOOKED_AT
from prorank_search.judgments.pooling import Pooled
from prorank_search.types import Query
from prorank_ui.evaluate.standings import EvaluationRun

_QUERIES_AT_ONCE = 16

PutIn = Callable[[str, str, Sequence[Pooled]], int]
"""Puts hits into the pool of a set's query; returns how many are new."""


def put_into_pools(run: EvaluationRun, find: FirstStage, put_in: PutIn) -> str:
    """Put the hits of a run that nobody judged into the pools of its query set; return the first query that has some.

    Their texts come from the first stage, which finds what it found for the run.

    Args:
        run: A run over a query set with at least one such hit.
        find: The first stage of the run's index.
        put_in: Puts hits into a query's pool.

    Raises:
        InputError: A query is no longer in the set.
        BackendError: The search failed.
    """
    depth = max([LOOKED_AT, *(int(system.side.window) for system in run.systems if system.side.window)])
    queries = [Query(query_id, run.queries[query_id]) for query_id in run.unjudged]
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        for ranking in find(queries[start : start + _QUERIES_AT_ONCE], depth):
            query_id = ranking.query.query_id
            wanted = set(run.unjudged[query_id])
            found = [
                Pooled(hit.document, {"BM25": rank})
                for rank, hit in enumerate(ranking.hits, start=1)
                if hit.document.doc_id in wanted
            ]
            put_in(run.query_set, query_id, found)
    return queries[0].query_id
