"""From scores to probabilities: logistic regression on held-out judgments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prorank_search.errors import InputError
from prorank_search.types import Calibration

_STEPS = 100
_CLOSE = 1e-10
_RIDGE = 1e-6
"""Keeps the fit finite where a threshold separates the scores without an error."""


def fit_calibration(scores: Sequence[float], relevant: Sequence[bool]) -> Calibration:
    """Fit probability = sigmoid(a * score + b) by maximum likelihood (Platt, 1999), with Newton's method.

    Args:
        scores: Scores of judged texts, in nats.
        relevant: Whether each is relevant.

    Raises:
        InputError: Only relevant or only irrelevant texts: there is nothing to fit.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(relevant, np.float64)
    if y.size == 0 or y.min() == y.max():
        raise InputError(
            f"{y.size} judged texts, {int(y.sum())} of them relevant: a calibration needs both kinds; judge more "
            "queries, then make the training data anew"
        )
    design = np.stack([x, np.ones_like(x)], 1)  # (texts, 2)
    fit = np.zeros(2)
    for _ in range(_STEPS):
        move = _newton_move(design, y, fit)
        fit = fit - move
        if np.abs(move).max() < _CLOSE:
            break
    return Calibration(float(fit[0]), float(fit[1]))


def _newton_move(design: NDArray[np.float64], y: NDArray[np.float64], fit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Newton step, halved until it does not raise the loss."""
    probability = 1 / (1 + np.exp(-design @ fit))
    gradient = design.T @ (probability - y) + _RIDGE * fit
    curvature = design.T @ (design * (probability * (1 - probability))[:, None]) + _RIDGE * np.eye(2)
    move = np.asarray(np.linalg.solve(curvature, gradient), np.float64)
    while _loss(design, y, fit - move) > _loss(design, y, fit) and np.abs(move).max() > _CLOSE:
        move = move / 2
    return move


def _loss(design: NDArray[np.float64], y: NDArray[np.float64], fit: NDArray[np.float64]) -> float:
    logits = design @ fit
    return float((np.logaddexp(0, logits) - y * logits).sum() + _RIDGE / 2 * (fit @ fit))
