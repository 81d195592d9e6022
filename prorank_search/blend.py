"""First-stage and rescore scores into one number: normalisations and modes, pure functions.

The words are those of the engines' `rescore` block. Normalisation sees the scored hits of one window only, so a
score blended in one query cannot be compared with another query's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, pstdev

from prorank_search.types import Blend, Normalize, ScoreMode

RRF_CONSTANT = 60
"""The k of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""


def zscore(scores: Sequence[float]) -> list[float]:
    """Shift and scale to mean 0 and standard deviation 1; all zeros where the scores are all equal.

    Example:
        >>> zscore([1.0, 3.0])
        [-1.0, 1.0]
    """
    deviation = pstdev(scores) if scores else 0.0
    if deviation == 0.0:
        return [0.0] * len(scores)
    mean = fmean(scores)
    return [(score - mean) / deviation for score in scores]


def minmax(scores: Sequence[float]) -> list[float]:
    """Shift and scale to the range 0..1; all zeros where the scores are all equal.

    Example:
        >>> minmax([2.0, 4.0, 3.0])
        [0.0, 1.0, 0.5]
    """
    low, high = (min(scores), max(scores)) if scores else (0.0, 0.0)
    if low == high:
        return [0.0] * len(scores)
    return [(score - low) / (high - low) for score in scores]


_NORMALIZERS: Mapping[Normalize, Callable[[Sequence[float]], list[float]]] = {
    "none": list,
    "zscore": zscore,
    "minmax": minmax,
}


def normalized(scores: Sequence[float], normalize: Normalize) -> list[float]:
    """Return scores of one list as a blend takes them.

    Example:
        >>> normalized([2.0, 4.0, 3.0], "minmax")
        [0.0, 1.0, 0.5]
    """
    return _NORMALIZERS[normalize](scores)


_MODES: Mapping[ScoreMode, Callable[[float, float], float]] = {
    "replace": lambda _, rescore: rescore,
    "total": lambda first, rescore: first + rescore,
    "multiply": lambda first, rescore: first * rescore,
    "avg": lambda first, rescore: (first + rescore) / 2,
    "max": max,
    "min": min,
}


def combine(
    first_stage: Sequence[float],
    rescored: Sequence[float],
    blend: Blend,
    probabilities: Sequence[float] | None = None,
) -> list[float]:
    """Combine two scores of each hit into one.

    Args:
        first_stage: First-stage scores of the scored hits, in first-stage order.
        rescored: Rescore scores of the same hits.
        blend: Mode, normalisation and weights. `replace` looks at the rescore scores alone.
        probabilities: Calibrated probabilities; `multiply` uses them in place of the rescore scores, which can be
            negative. Without them it uses sigmoid(score).

    Returns:
        One score for each hit, same order; higher is better.

    Example:
        >>> combine([9.0, 5.0], [-1.0, 1.0], Blend("total", "zscore", 1.0, 2.0))
        [-1.0, 1.0]
    """
    if blend.score_mode == "rrf":
        return [
            blend.query_weight / (RRF_CONSTANT + first_rank) + blend.rescore_query_weight / (RRF_CONSTANT + rank)
            for first_rank, rank in zip(ranks(first_stage), ranks(rescored), strict=True)
        ]
    if blend.score_mode == "multiply":
        rescored = probabilities if probabilities is not None else [sigmoid(score) for score in rescored]
    mode = _MODES[blend.score_mode]
    return [
        mode(blend.query_weight * first, blend.rescore_query_weight * second)
        for first, second in zip(
            normalized(first_stage, blend.normalize), normalized(rescored, blend.normalize), strict=True
        )
    ]


def ranks(scores: Sequence[float]) -> list[int]:
    """Return each score's rank, from 1 for the highest; of equal scores the earlier one ranks higher."""
    order = sorted(range(len(scores)), key=lambda position: -scores[position])
    rank_of = {position: rank for rank, position in enumerate(order, start=1)}
    return [rank_of[position] for position in range(len(scores))]


def sigmoid(value: float) -> float:
    """Return 1 / (1 + exp(-value)), without overflow for any finite value."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    exponential = math.exp(value)
    return exponential / (1.0 + exponential)
