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


def test_negatives_that_a_teacher_puts_above_the_positive_are_left_out() -> None:
    teacher = torch.tensor([0.7, 0.6, 0.75])
    assert losses.without_likely_false(SCORES, teacher, margin=0.0).tolist() == [1.0, 0.0]
    assert losses.without_likely_false(SCORES, teacher, margin=0.1).tolist() == SCORES.tolist()


def test_a_positive_without_negatives_is_only_asked_to_be_relevant() -> None:
    alone = torch.tensor([1.0], requires_grad=True)
    compared = [losses.softmax_cross_entropy(alone), losses.ranknet(alone), losses.margin(alone)]
    assert [loss.item() for loss in compared] == [0.0, 0.0, 0.0]
    anchor = losses.pointwise(alone)
    assert anchor.item() == pytest.approx(softplus(-1) / 2)
    anchor.backward()
    assert alone.grad is not None
    assert alone.grad.isfinite().all()
