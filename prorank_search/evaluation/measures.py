"""nDCG@10, MRR@10 and recall@100, computed by ir_measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean

from prorank_search.errors import InputError
from prorank_search.evaluation.judged import judged_queries
from prorank_search.evaluation.trec_files import Run
from prorank_search.types import Qrel, ScoredDoc

NDCG = "ndcg@10"
MRR = "mrr@10"
RECALL = "recall@100"
MEASURES = (NDCG, MRR, RECALL)

DEPTH = 100
"""Hits of a query that the measures look at."""

Values = dict[str, dict[str, float]]
"""Each query's values: `query_id` to measure to a number from 0 (worst) to 1."""


def measure(qrels: Iterable[Qrel], run: Run) -> Values:
    """Measure a run, query by query.

    Every query with a relevant document counts; one that found nothing counts 0. nDCG has linear gain.

    Args:
        qrels: The judgments; a document without one is not relevant.
        run: Each query's documents, best first; only the order counts.

    Raises:
        InputError: No query has a relevant document.

    Example:
        >>> values = measure([Qrel("q", "b", 1)], {"q": [ScoredDoc("q", "a", 2.0), ScoredDoc("q", "b", 1.0)]})
        >>> values["q"]["mrr@10"]
        0.5
    """
    from ir_measures import RR, R, iter_calc, nDCG

    qrels = list(qrels)
    wanted = judged_queries(qrels)
    if not wanted:
        raise InputError("no query has a relevant document: there is nothing to measure")
    names = {nDCG @ 10: NDCG, RR @ 10: MRR, R @ DEPTH: RECALL}
    values: Values = {query_id: dict.fromkeys(MEASURES, 0.0) for query_id in wanted}
    for result in iter_calc(list(names), qrels, _by_rank(run, values)):
        if result.query_id in values:
            values[result.query_id][names[result.measure]] = float(result.value)
    return values


def mean(values: Values) -> dict[str, float]:
    """Average each measure over the queries."""
    return {name: fmean(row[name] for row in values.values()) for name in MEASURES}


def of_measure(values: Values, name: str = NDCG) -> dict[str, float]:
    """Return one measure's value of each query."""
    return {query_id: row[name] for query_id, row in values.items()}


def _by_rank(run: Run, wanted: Mapping[str, object]) -> list[ScoredDoc]:
    """Put ranks in the place of scores: ir_measures sorts in single precision, and breaks ties in two ways."""
    return [
        ScoredDoc(query_id, scored.doc_id, float(-rank))
        for query_id, docs in run.items()
        if query_id in wanted
        for rank, scored in enumerate(docs[:DEPTH])
    ]
