"""What stage 2 minimises: plain functions of a group's scores, the positive's first.

Scores are log-odds in fp32, (documents,). A target is a distribution over the same documents.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)


def softmax_cross_entropy(scores: Tensor) -> Tensor:
    """Return -log softmax(scores)[0]: the positive is to stand out of its group.

    ListNet with a one-hot target (Cao et al., ICML 2007); the usual loss of contrastive rerankers.

    Example:
        >>> round(softmax_cross_entropy(torch.tensor([0.0, 0.0])).item(), 4)
        0.6931
    """
    return -F.log_softmax(scores, -1)[0]


def ranknet(scores: Tensor) -> Tensor:
    """Return the mean of log(1 + exp(negative - positive)) over the negatives (Burges et al., ICML 2005)."""
    return F.softplus(scores[1:] - scores[0]).mean()


def margin(scores: Tensor, width: float = 2.0) -> Tensor:
    """Return the mean of max(0, width - (positive - negative)) over the negatives."""
    return F.relu(width - (scores[0] - scores[1:])).mean()


def pointwise(scores: Tensor) -> Tensor:
    """Return the binary cross-entropy of the scores as log-odds, positive and negatives weighed equally.

    It keeps the sign of a score: 0 stays the border between relevant and not.
    """
    return (F.softplus(-scores[0]) + F.softplus(scores[1:]).mean()) / 2


def distillation(scores: Tensor, target: Tensor) -> Tensor:
    """Return KL(target || softmax(scores)): the group is to be ordered as a teacher orders it (Hinton et al., 2015)."""
    return F.kl_div(F.log_softmax(scores, -1), target, reduction="sum")


def teacher_distribution(teacher_scores: Tensor, temperature: float) -> Tensor:
    """Return softmax(teacher_scores / temperature), the target of `distillation`."""
    return torch.softmax(teacher_scores / temperature, -1)
