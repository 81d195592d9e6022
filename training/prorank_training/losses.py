"""What stage 2 minimises: plain functions of a group's scores, the positive's first.

Scores are log-odds in fp32, (documents,). A target is a distribution over the same documents. A positive whose
negatives were all left out is compared with nothing: listwise and pairwise losses are 0 then.
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
    return _mean(F.softplus(scores[1:] - scores[0]))


def margin(scores: Tensor, width: float = 2.0) -> Tensor:
    """Return the mean of max(0, width - (positive - negative)) over the negatives."""
    return _mean(F.relu(width - (scores[0] - scores[1:])))


LISTWISE = {"softmax": softmax_cross_entropy, "ranknet": ranknet, "margin": margin}
"""Losses that put a group's positive first, by their names in recipes."""


def pointwise(scores: Tensor) -> Tensor:
    """Return the binary cross-entropy of the scores as log-odds, positive and negatives weighed equally.

    It keeps the sign of a score: 0 stays the border between relevant and not.
    """
    return (F.softplus(-scores[0]) + _mean(F.softplus(scores[1:]))) / 2


def distillation(scores: Tensor, target: Tensor) -> Tensor:
    """Return KL(target || softmax(scores)): the group is to be ordered as a teacher orders it (Hinton et al., 2015)."""
    return F.kl_div(F.log_softmax(scores, -1), target, reduction="sum")


def teacher_distribution(teacher_scores: Tensor, temperature: float) -> Tensor:
    """Return softmax(teacher_scores / temperature), the target of `distillation`."""
    return torch.softmax(teacher_scores / temperature, -1)


def without_likely_false(scores: Tensor, teacher_scores: Tensor, margin: float) -> Tensor:
    """Return the scores without those of negatives that a teacher puts more than `margin` above the positive.

    Nobody judged most negatives, and some of them answer the query: what the teacher likes better than the positive
    is not pushed down (RocketQA's denoised negatives, Qu et al., NAACL 2021). It stays in the teacher's distribution.

    Args:
        scores: The model's, (documents,).
        teacher_scores: The teacher's, (documents,).
        margin: In the unit of the teacher's scores; 0 or more.

    Example:
        >>> without_likely_false(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.7, 0.8, 0.6]), margin=0.0)
        tensor([1., 3.])
    """
    return scores[teacher_scores <= teacher_scores[0] + margin]


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(1, values.numel())
