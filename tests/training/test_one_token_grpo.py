from __future__ import annotations

import torch

from prorank_training.one_token_grpo import draw, expected, imbalance, sampled, supervised

TABLE = torch.tensor([[[0.0, 1.0, 1.0, 0.0]], [[0.0, 0.0, 1.0, 0.0]]])  # tokens 1 and 2 are answers, 2 is right
EQUAL = torch.ones(2)


def _logits() -> torch.Tensor:
    return torch.tensor([[2.0, 0.0, 0.5, 1.0]], requires_grad=True)


def test_a_rare_right_answer_is_pushed_up_and_all_others_down() -> None:
    logits = _logits()
    sampled(logits, TABLE, EQUAL, torch.tensor([[0, 0, 0, 2]])).losses.sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 2] < 0 < logits.grad[0, 0]


def test_a_group_whose_samples_all_earn_the_same_teaches_nothing() -> None:
    logits = _logits()
    outcome = sampled(logits, TABLE, EQUAL, torch.tensor([[2, 2, 2, 2]]))
    outcome.losses.sum().backward()
    assert outcome.deviation.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_expectation_is_what_many_samples_come_to() -> None:
    many, exact = _logits(), _logits()
    tokens = draw(many, 20_000, torch.Generator().manual_seed(0))
    outcome, limit = sampled(many, TABLE, EQUAL, tokens), expected(exact, TABLE, EQUAL)
    outcome.losses.sum().backward()
    limit.losses.sum().backward()
    assert many.grad is not None
    torch.testing.assert_close(many.grad, exact.grad, atol=0.02, rtol=0.05)
    torch.testing.assert_close(outcome.earned, limit.earned, atol=0.02, rtol=0.05)
    torch.testing.assert_close(outcome.deviation, limit.deviation, atol=0.02, rtol=0.05)


def test_priming_is_cross_entropy_of_the_right_answer() -> None:
    logits = _logits()
    loss = supervised(logits, TABLE).losses
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, torch.tensor([2]), reduction="none"))


def test_the_same_seed_draws_the_same_tokens() -> None:
    first, again, other = (draw(_logits(), 50, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)


def test_a_weight_of_nothing_leaves_a_reward_out_of_the_gradient_but_in_the_log() -> None:
    logits = _logits()
    outcome = sampled(logits, TABLE, torch.tensor([1.0, 0.0]), torch.tensor([[1, 2, 1, 2]]))
    assert outcome.earned[:, 0].tolist() == [1.0, 0.5]
    assert outcome.deviation.item() == 0


def test_the_imbalance_of_saturated_answers_still_leads_back_to_the_middle() -> None:
    log_odds = torch.tensor([40.0, 42.0], requires_grad=True)
    imbalance(log_odds).backward()
    assert log_odds.grad is not None
    assert log_odds.grad.tolist() == [41.0, 41.0]


def test_opposite_answers_are_in_balance_however_sure_they_are() -> None:
    assert imbalance(torch.tensor([-9.0, 9.0])).item() == 0
