"""Several scores of the same hits into one order: weighted sums, and picking for a cascade. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from prorank_search.blend import normalized
from prorank_search.types import Hit, Normalize, Ranking


def fuse(scores: Sequence[Sequence[float]], weights: Sequence[float], normalize: Normalize) -> list[float]:
    """Sum several scores of each hit.

    Args:
        scores: One list for each scorer: its scores of the same hits, in the same order.
        weights: One for each scorer.
        normalize: What each scorer's list goes through first.

    Returns:
        One score for each hit, same order; higher is better.

    Example:
        >>> fuse([[9.0, 5.0, 7.0], [0.0, 1.0, 0.5]], [1.0, 2.0], "minmax")
        [1.0, 2.0, 1.5]
    """
    weighted = [
        [weight * score for score in normalized(of_scorer, normalize)]
        for of_scorer, weight in zip(scores, weights, strict=True)
    ]
    return [sum(of_hit) for of_hit in zip(*weighted, strict=True)]


def pick(ranking: Ranking, scores: Sequence[float], keep: int) -> Ranking:
    """Move the best hits of a window to the top, for the next stage to order them.

    Args:
        ranking: The first stage's answer.
        scores: Scores of its first `len(scores)` hits.
        keep: Hits that are picked; of equal scores the earlier hit is.

    Returns:
        The picked hits in first-stage order, the rest of the window by score, and the tail.

    Example:
        >>> from prorank_search.types import Document, Query
        >>> hits = tuple(Hit(Document(name, ""), score) for name, score in [("a", 3.0), ("b", 2.0), ("c", 1.0)])
        >>> [hit.document.doc_id for hit in pick(Ranking(Query("q", ""), hits), [0.1, 0.2, 0.3], keep=2).hits]
        ['b', 'c', 'a']
    """
    best_first = sorted(range(len(scores)), key=lambda position: -scores[position])
    order = sorted(best_first[:keep]) + best_first[keep:]
    hits: tuple[Hit, ...] = tuple(ranking.hits[position] for position in order)
    return Ranking(ranking.query, hits + ranking.hits[len(scores) :])
