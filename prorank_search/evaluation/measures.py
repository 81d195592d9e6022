"""nDCG, MRR, MAP, precision, recall and the share of judged hits at any cut-off, computed by ir_measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import TYPE_CHECKING

from prorank_search.errors import ConfigError, InputError
from prorank_search.evaluation.judged import judged_queries
from prorank_search.evaluation.trec_files import Run
from prorank_search.types import Qrel, ScoredDoc

if TYPE_CHECKING:
    from ir_measures import Measure

NDCG = "ndcg@10"
MRR = "mrr@10"
RECALL = "recall@100"
MEASURES = (NDCG, MRR, RECALL)
"""What is measured where nothing else is asked for."""

EVERY = (
    "ndcg@5",
    NDCG,
    "ndcg@20",
    MRR,
    "map@100",
    "p@5",
    "p@10",
    "p@20",
    "recall@10",
    "recall@20",
    RECALL,
    "judged@10",
)
"""What a page offers."""

KINDS = ("ndcg", "mrr", "map", "p", "recall", "judged")
"""What can stand before the @ of a measure's name."""

DEPTH = 100
"""Hits of a query that the measures look at."""

Values = dict[str, dict[str, float]]
"""Each query's values: `query_id` to measure to a number from 0 (worst) to 1."""


def measure(qrels: Iterable[Qrel], run: Run, names: Iterable[str] = MEASURES) -> Values:
    """Measure a run, query by query.

    Every query with a relevant document counts; one that found nothing counts 0. nDCG has linear gain.

    Args:
        qrels: The judgments; a document without one is not relevant.
        run: Each query's documents, best first; only the order counts.
        names: Measures such as "map@100": one of `KINDS` and a cut-off from 1 to 100.

    Raises:
        ConfigError: There is no such measure.
        InputError: No query has a relevant document.

    Example:
        >>> values = measure([Qrel("q", "b", 1)], {"q": [ScoredDoc("q", "a", 2.0), ScoredDoc("q", "b", 1.0)]})
        >>> values["q"]["mrr@10"]
        0.5
    """
    from ir_measures import iter_calc

    qrels = list(qrels)
    wanted = judged_queries(qrels)
    if not wanted:
        raise InputError("no query has a relevant document: there is nothing to measure")
    measures = {_measure(name): name for name in names}
    values: Values = {query_id: dict.fromkeys(measures.values(), 0.0) for query_id in wanted}
    for result in iter_calc(list(measures), qrels, _by_rank(run, values)):
        if result.query_id in values:
            values[result.query_id][measures[result.measure]] = float(result.value)
    return values


def mean(values: Values) -> dict[str, float]:
    """Average each measure over the queries."""
    return {name: fmean(row[name] for row in values.values()) for name in next(iter(values.values()))}


def of_measure(values: Values, name: str = NDCG) -> dict[str, float]:
    """Return one measure's value of each query."""
    return {query_id: row[name] for query_id, row in values.items()}


def check_measure(name: str) -> str:
    """Return the name of a measure as it is.

    Raises:
        ConfigError: There is no such measure.

    Example:
        >>> check_measure("p@5")
        'p@5'
    """
    kind, _, cutoff = name.partition("@")
    if kind not in KINDS or not cutoff.isdecimal() or not 1 <= int(cutoff) <= DEPTH:
        raise ConfigError(
            f"there is no measure {name!r}: wanted is one of {', '.join(KINDS)}, @ and a cut-off from 1 to {DEPTH}, "
            "such as map@100"
        )
    return name


def _measure(name: str) -> Measure:
    from ir_measures import AP, RR, Judged, P, R, nDCG

    kind, _, cutoff = check_measure(name).partition("@")
    return {"ndcg": nDCG, "mrr": RR, "map": AP, "p": P, "recall": R, "judged": Judged}[kind] @ int(cutoff)


def _by_rank(run: Run, wanted: Mapping[str, object]) -> list[ScoredDoc]:
    """Put ranks in the place of scores: ir_measures sorts in single precision, and breaks ties in two ways."""
    return [
        ScoredDoc(query_id, scored.doc_id, float(-rank))
        for query_id, docs in run.items()
        if query_id in wanted
        for rank, scored in enumerate(docs[:DEPTH])
    ]
