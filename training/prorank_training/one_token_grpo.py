"""Group relative policy optimisation (Shao et al., DeepSeekMath, 2024) for answers of one token.

All samples of a group answer the same prompt, so one row of logits holds the probability of each of them: a group
costs one forward and one backward pass however many samples it has. The losses are those of TRL 1.16 with
`max_completion_length=1`, `beta=0` and one update for each generation: the ratio to the old policy is 1 then, nothing
is clipped, and `loss_type` "grpo", "bnpo", "dr_grpo" and "dapo" (the default) are all the mean over the completions.

Shapes: logits (groups, tokens); a table of what each token earns (rewards, groups, tokens).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_EPSILON = 1e-4
"""Added to a group's standard deviation, as TRL does."""


@dataclass(frozen=True, slots=True)
class GroupOutcomes:
    """What a batch of groups came to.

    Attributes:
        losses: What is to be minimised, (groups,).
        earned: Mean of each reward in each group, (rewards, groups).
        deviation: Standard deviation of the reward in each group, (groups,); a group without any teaches nothing.
    """

    losses: Tensor
    earned: Tensor
    deviation: Tensor


def draw(logits: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """Sample tokens at temperature 1, (groups, samples)."""
    return torch.multinomial(logits.detach().float().softmax(-1), samples, replacement=True, generator=generator)


def sampled(logits: Tensor, table: Tensor, weights: Tensor, tokens: Tensor) -> GroupOutcomes:
    """Return -mean(advantage * log probability) over the samples of each group.

    The advantage is the weighted sum of rewards less its mean in the group, over its standard deviation (with Bessel's
    correction).

    Args:
        logits: With gradients.
        table: What each token earns.
        weights: Of the rewards, (rewards,).
        tokens: The samples, (groups, samples).
    """
    each = table.gather(2, tokens.expand(len(table), -1, -1))  # (rewards, groups, samples)
    total = (each * weights[:, None, None]).sum(0)
    deviation = total.std(-1)
    advantages = (total - total.mean(-1, keepdim=True)) / (deviation[:, None] + _EPSILON)
    log_probabilities = logits.float().log_softmax(-1).gather(1, tokens)  # (groups, samples)
    return GroupOutcomes(-(advantages * log_probabilities).mean(-1), each.mean(-1), deviation)


def expected(logits: Tensor, table: Tensor, weights: Tensor) -> GroupOutcomes:
    """Return -(expected reward) / (its standard deviation): what `sampled` comes to with ever more samples."""
    probabilities = logits.float().softmax(-1)
    earned = (probabilities * table).sum(-1)  # (rewards, groups)
    mean = weights @ earned
    spread = (table * weights[:, None, None]).sum(0) - mean.detach()[:, None]
    deviation = (probabilities.detach() * spread**2).sum(-1).sqrt()
    return GroupOutcomes(-mean / (deviation + _EPSILON), earned.detach(), deviation)


def imbalance(log_odds: Tensor) -> Tensor:
    """Return the squared mean of the log-odds of "1", (groups,), over equally many relevant and irrelevant pairs.

    As a penalty it keeps a warm-up from ending in one answer for all: the rewards of such pairs are indifferent to how
    often "1" is said, so that share drifts until the other answer is never sampled again, and no reward leads back. An
    entropy bonus fades there as the gradient of the rewards does; this does not.
    """
    return log_odds.float().mean() ** 2


def supervised(logits: Tensor, table: Tensor) -> GroupOutcomes:
    """Return -log probability of the token that earns most: priming, which no reward steers."""
    best = table.sum(0).argmax(-1, keepdim=True)  # (groups, 1)
    outcome = expected(logits.detach(), table, torch.ones(len(table), device=table.device))
    losses = -logits.float().log_softmax(-1).gather(1, best)[:, 0]
    return GroupOutcomes(losses, outcome.earned, outcome.deviation)
