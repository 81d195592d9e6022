"""Hits that a run showed and nobody judged, put in front of the judges."""

from __future__ import annotations

from prorank_search.evaluation.evaluate import first_stage_of
from prorank_search.evaluation.suite_output import LOOKED_AT
from prorank_search.judgments import JudgmentStore
from prorank_search.pooling import Pooled
from prorank_search.profiles import Profile
from prorank_search.protocols import SearchBackend
from prorank_search.types import Query
from prorank_ui.standings import EvaluationRun

_QUERIES_AT_ONCE = 16


def put_into_pools(run: EvaluationRun, store: JudgmentStore, backend: SearchBackend, profile: Profile) -> str:
    """Put the hits of a run that nobody judged into the pools of its query set; return the first query that has some.

    Their texts come from the first stage, which finds what it found for the run.

    Args:
        run: A run over a query set with at least one such hit.
        store: Where the query set is.
        backend: Searches the run's index.
        profile: How that index is searched.

    Raises:
        InputError: A query is no longer in the set.
        BackendError: The search failed.
    """
    depth = max([LOOKED_AT, *(int(system.side.window) for system in run.systems if system.side.window)])
    find = first_stage_of(backend, run.index, profile)
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
            store.pool(run.query_set, query_id, found)
    return queries[0].query_id
