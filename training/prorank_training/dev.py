"""How well a model ranks held-out queries: nDCG@10 of the first stage, of the model, and of a blend of both."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from prorank_search.blend import combine
from prorank_search.types import Blend
from prorank_training.groups import DevQuery

CUTOFF = 10

REPLACE = Blend()
SUM_OF_ZSCORES = Blend("total", "zscore")

_MODEL_WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


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


def mean_ndcg(queries: Sequence[DevQuery], scores: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return each collection's mean nDCG@10 when its queries' hits stand in the order of the scores."""
    values: dict[str, list[float]] = defaultdict(list)
    for query, ranking in zip(queries, scores, strict=True):
        best_first = sorted(zip(ranking, query.relevances, strict=True), key=lambda pair: -pair[0])
        values[query.collection].append(ndcg([relevance for _, relevance in best_first], query.ideal))
    return {collection: round(fmean(column), 4) for collection, column in values.items()}


def results(
    queries: Sequence[DevQuery], scores: Sequence[Sequence[float]], blend: Blend = SUM_OF_ZSCORES
) -> dict[str, dict[str, float]]:
    """Return nDCG@10 of each collection.

    Args:
        queries: The dev queries.
        scores: The model's scores of each query's texts.
        blend: How `blend` is made of both stages.

    Returns:
        Collection to `bm25`, `model`, `blend`, and to how many `queries` that is the mean of.
    """
    columns = {
        "bm25": mean_ndcg(queries, [query.first_stage_scores for query in queries]),
        "model": mean_ndcg(queries, scores),
        "blend": mean_ndcg(queries, _blended(queries, scores, blend)),
    }
    counts: dict[str, float] = defaultdict(float)
    for query in queries:
        counts[query.collection] += 1
    return {
        collection: {name: column[collection] for name, column in columns.items()} | {"queries": count}
        for collection, count in counts.items()
    }


def choose_blend(queries: Sequence[DevQuery], scores: Sequence[Sequence[float]]) -> Blend:
    """Return the blend with the highest mean over the collections of nDCG@10; the model alone, where none is better.

    Looked at: the model's order, and sums of z-scores with several weights for the model's.
    """
    candidates = [REPLACE, *(Blend("total", "zscore", 1.0, weight) for weight in _MODEL_WEIGHTS)]

    def quality(blend: Blend) -> float:
        return fmean(mean_ndcg(queries, _blended(queries, scores, blend)).values())

    return max(candidates, key=quality)


def sample(queries: Sequence[DevQuery], a_collection: int) -> list[DevQuery]:
    """Return the first so many dev queries of each collection."""
    seen: dict[str, int] = defaultdict(int)
    chosen = []
    for query in queries:
        seen[query.collection] += 1
        if seen[query.collection] <= a_collection:
            chosen.append(query)
    return chosen


def _blended(queries: Sequence[DevQuery], scores: Sequence[Sequence[float]], blend: Blend) -> list[list[float]]:
    return [combine(query.first_stage_scores, own, blend) for query, own in zip(queries, scores, strict=True)]


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
