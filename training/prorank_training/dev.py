"""How well a model under training ranks held-out queries: nDCG@10 of the model alone and blended with BM25."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

from prorank_search.blend import combine
from prorank_search.types import Blend
from prorank_training.groups import DevQuery

CUTOFF = 10

SUM_OF_ZSCORES = Blend("total", "zscore")


def ndcg(relevances: Sequence[int], ideal: Sequence[int], cutoff: int = CUTOFF) -> float:
    """Return nDCG with linear gain.

    Args:
        relevances: Relevance of the ranked documents, best first.
        ideal: All judged relevances of the query, highest first.
        cutoff: Ranks that count.

    Example:
        >>> round(ndcg([0, 1], [1]), 4)
        0.6309
    """
    best = _dcg(ideal[:cutoff])
    return _dcg(relevances[:cutoff]) / best if best else 0.0


def dev_ndcg(
    queries: Sequence[DevQuery], score: Callable[[str, Sequence[str]], Sequence[float]]
) -> dict[str, dict[str, float]]:
    """Rank each dev query's hits and return the mean nDCG@10 of each collection.

    Args:
        queries: The dev queries.
        score: Scores texts for a query.

    Returns:
        Collection to `bm25`, `model`, `blend` (sum of z-scores) and `queries`.
    """
    values: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for query in queries:
        scores = list(score(query.query, query.texts)) if query.texts else []
        blended = combine(query.first_stage_scores, scores, SUM_OF_ZSCORES)
        rankings = (query.first_stage_scores, scores, blended)
        bm25, model, blend = (ndcg(_ordered(query.relevances, ranking), query.ideal) for ranking in rankings)
        values[query.collection].append((bm25, model, blend))
    return {
        collection: {
            name: round(sum(column) / len(rows), 4)
            for name, column in zip(("bm25", "model", "blend"), zip(*rows, strict=True), strict=True)
        }
        | {"queries": float(len(rows))}
        for collection, rows in values.items()
    }


def sample(queries: Sequence[DevQuery], a_collection: int) -> list[DevQuery]:
    """Return the first so many dev queries of each collection."""
    seen: dict[str, int] = defaultdict(int)
    chosen = []
    for query in queries:
        seen[query.collection] += 1
        if seen[query.collection] <= a_collection:
            chosen.append(query)
    return chosen


def _ordered(relevances: Sequence[int], scores: Sequence[float]) -> list[int]:
    order = sorted(range(len(scores)), key=lambda position: -scores[position])
    return [relevances[position] for position in order]


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
