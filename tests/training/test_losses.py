from __future__ import annotations

from math import exp, log

import pytest
import torch

from prorank_training import losses

SCORES = torch.tensor([1.0, 0.0, 3.0])
"""The positive's, then two negatives': one below it, one above."""


def softplus(value: float) -> float:
    return log(1 + exp(value))


def test_cross_entropy_is_the_positives_negative_log_share() -> None:
    expected = -log(exp(1) / (exp(1) + exp(0) + exp(3)))
    assert losses.softmax_cross_entropy(SCORES).item() == pytest.approx(expected, rel=1e-5)


def test_ranknet_is_the_mean_over_pairs() -> None:
    expected = (softplus(-1) + softplus(2)) / 2
    assert losses.ranknet(SCORES).item() == pytest.approx(expected, rel=1e-5)


def test_margin_counts_only_what_is_within_it() -> None:
    assert losses.margin(SCORES, width=0.5).item() == pytest.approx((0.0 + 2.5) / 2)


def test_pointwise_weighs_the_positive_like_all_negatives_together() -> None:
    expected = (softplus(-1) + (softplus(0) + softplus(3)) / 2) / 2
    assert losses.pointwise(SCORES).item() == pytest.approx(expected, rel=1e-5)


def test_a_teacher_is_followed_by_its_shares() -> None:
    target = losses.teacher_distribution(torch.tensor([0.8, 0.8, 0.4]), temperature=0.4)
    total = 2 * exp(2) + exp(1)
    assert target.tolist() == pytest.approx([exp(2) / total, exp(2) / total, exp(1) / total], rel=1e-5)


def test_distillation_is_the_divergence_from_the_target() -> None:
    target = torch.tensor([0.5, 0.25, 0.25])
    own = torch.log_softmax(SCORES, -1).tolist()
    expected = sum(p * (log(p) - q) for p, q in zip(target.tolist(), own, strict=True))
    assert losses.distillation(SCORES, target).item() == pytest.approx(expected, rel=1e-5)


def test_distillation_from_oneself_costs_nothing() -> None:
    assert losses.distillation(SCORES, torch.softmax(SCORES, -1)).item() == pytest.approx(0.0, abs=1e-6)
