"""Measures a model's answers on dev pairs that stay the same: does it answer, in form, and rightly.

Nothing is generated. A completion is in form if it is a digit and then the end of the turn, so what completions of up
to 4 tokens would show follows exactly from the probabilities of these two tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from prorank_search.prompt import RELEVANT, PromptEncoder
from prorank_search.scoring.decoder import Decoder
from prorank_training.answer_turns import Turn, answer_logits, answer_tokens, digit_turn, end_turns, output_head, passes
from prorank_training.pairs import Pair


class Probe:
    """Measures a model, where wanted against the base that it started from.

    Args:
        encoder: The prompt.
        pairs: Dev pairs, as many relevant as irrelevant ones.
        tokens_a_batch: Padded tokens of one forward pass.
        base: The base's decoder, or the trained one before its first step.
    """

    def __init__(
        self, encoder: PromptEncoder, pairs: Sequence[Pair], tokens_a_batch: int, base: Decoder | None = None
    ) -> None:
        self._encoder = encoder
        self._relevant = torch.tensor([pair.judgment == RELEVANT for pair in pairs])
        self._digits = [digit_turn(encoder, pair) for pair in pairs]
        self._ends = [turn for digit in self._digits for turn in end_turns(encoder, digit)]
        self._tokens_a_batch = tokens_a_batch
        self._base = self._log_probabilities(base, self._digits) if pairs and base else None

    def measure(self, decoder: Decoder) -> dict[str, float]:
        """Measure a model; without dev pairs there is nothing to say.

        Returns:
            mass: Mean of P("0") + P("1").
            compliance: Mean probability that a sampled completion is exactly one digit and then ends.
            greedy_compliance: Share of pairs whose most likely completion is that.
            balanced_accuracy: Of the more likely digit.
            auc: Share of (relevant, irrelevant) couples that z("1") - z("0") puts in the right order; ties count half.
            kl: Mean KL(model || base) over the first token, in nats; only with a base.
        """
        if not self._digits:
            return {}
        first = self._log_probabilities(decoder, self._digits)  # (pairs, tokens)
        second = self._log_probabilities(decoder, self._ends)  # (2 * pairs, tokens): after "0", after "1"
        digits = list(answer_tokens(self._encoder))
        end = self._encoder.end_token
        answers = first[:, digits]  # (pairs, 2)
        ended = second[:, end].view(-1, 2)
        stops = (second.argmax(-1) == end).view(-1, 2)
        greedy = (first.argmax(-1, keepdim=True) == torch.tensor(digits)) & stops
        scores = answers[:, 1] - answers[:, 0]
        measured: dict[str, Tensor | float] = {
            "mass": answers.exp().sum(-1).mean(),
            "compliance": (answers + ended).exp().sum(-1).mean(),
            "greedy_compliance": greedy.any(-1).float().mean(),
            "balanced_accuracy": balanced_accuracy(scores, self._relevant),
            "auc": auc(scores, self._relevant),
        }
        if self._base is not None:
            measured["kl"] = (first.exp() * (first - self._base)).sum(-1).mean()
        return {name: round(float(value), 4) for name, value in measured.items()}

    @torch.no_grad()
    def _log_probabilities(self, decoder: Decoder, turns: Sequence[Turn]) -> Tensor:
        head = output_head(decoder).float()
        parts = [answer_logits(decoder, head, some).log_softmax(-1) for some in passes(turns, self._tokens_a_batch)]
        return torch.cat(parts).cpu()


def balanced_accuracy(scores: Tensor, relevant: Tensor) -> float:
    """Return the mean of two shares: relevant pairs with a score above 0, irrelevant ones with a score below.

    Example:
        >>> balanced_accuracy(torch.tensor([1.0, 2.0, 3.0, -1.0]), torch.tensor([True, True, False, False]))
        0.75
    """
    return float(((scores[relevant] > 0).float().mean() + (scores[~relevant] < 0).float().mean()) / 2)


def auc(scores: Tensor, relevant: Tensor) -> float:
    """Return the area under the ROC curve, as the share of couples in the right order (Mann and Whitney, 1947).

    Example:
        >>> auc(torch.tensor([2.0, 1.0, 1.0, 0.0]), torch.tensor([True, True, False, False]))
        0.875
    """
    margins = scores[relevant][:, None] - scores[~relevant]  # (relevant, irrelevant)
    return float(((margins > 0).float() + (margins == 0).float() / 2).mean())
