"""One token to be answered: the prompt up to it, what each token would earn, and the logits over all tokens there.

An answer is two tokens long: the digit, then the token that ends the turn. Each is a turn of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.decoder import Decoder
from prorank_search.scoring.forward import last_hidden, read_prefixes
from prorank_training.pairs import Pair
from prorank_training.rewards import ANSWERS, correctness_reward, format_reward

NAMES = ("format_reward", "correctness_reward")
"""The rewards of a turn's tokens, in this order."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A prompt whose next token is asked for.

    Attributes:
        prefix: Token ids of the query's part, shared by its documents.
        ids: Token ids that follow it.
        rewards: For each token that earns something, what it earns of `NAMES`.
        ends: True where the token that ends the answer is asked for, False where it is the digit.
    """

    prefix: tuple[int, ...]
    ids: tuple[int, ...]
    rewards: Mapping[int, tuple[float, float]]
    ends: bool = False


def digit_turn(encoder: PromptEncoder, pair: Pair) -> Turn:
    """Return the turn that asks for a pair's digit."""
    prefix = encoder.prefix(pair.query).ids
    ids = encoder.documents([pair.text], len(prefix))[0].ids
    earned = zip(format_reward(ANSWERS), correctness_reward(ANSWERS, [pair.judgment] * len(ANSWERS)), strict=True)
    return Turn(prefix, ids, dict(zip(answer_tokens(encoder), earned, strict=True)))


def end_turns(encoder: PromptEncoder, turn: Turn) -> list[Turn]:
    """Return the turns that follow a digit's: after each of the two, the end of the turn is right."""
    end = {encoder.end_token: (1.0, 0.0)}
    return [Turn(turn.prefix, (*turn.ids, digit), end, ends=True) for digit in answer_tokens(encoder)]


def answer_tokens(encoder: PromptEncoder) -> tuple[int, int]:
    """Return the ids of `ANSWERS`."""
    return encoder.irrelevant_token, encoder.relevant_token


def output_head(decoder: Decoder) -> Tensor:
    """Return the output head (tokens, hidden): the embedding, where the model has no head of its own."""
    weights = decoder.parameters()
    return weights.get("lm_head.weight", weights["model.embed_tokens.weight"])


def answer_logits(decoder: Decoder, head: Tensor, turns: Sequence[Turn]) -> Tensor:
    """Return the logits of all tokens where each turn asks for one, (turns, tokens), in the head's dtype.

    Every query is read once, and all turns share one pass.
    """
    queries = list(dict.fromkeys(turn.prefix for turn in turns))
    prefixes = dict(zip(queries, read_prefixes(decoder, queries), strict=True))
    hidden = last_hidden(decoder, [turn.ids for turn in turns], [prefixes[turn.prefix] for turn in turns])
    return hidden.to(head.dtype) @ head.T


def passes(turns: Sequence[Turn], tokens_a_batch: int) -> list[list[Turn]]:
    """Cut turns into forward passes of so many tokens, padding included; neighbours with one query stay together."""
    together: list[list[Turn]] = []
    for _, of_one_query in groupby(turns, key=lambda turn: turn.prefix):
        more = list(of_one_query)
        joined = [*together[-1], *more] if together else []
        if together and len(joined) * max(len(turn.ids) for turn in joined) <= tokens_a_batch:
            together[-1] = joined
        else:
            together.append(more)
    return together


def reward_table(turns: Sequence[Turn], tokens: int, device: torch.device) -> Tensor:
    """Return what each token would earn, (rewards, turns, tokens)."""
    table = torch.zeros(len(NAMES), len(turns), tokens, device=device)
    for row, turn in enumerate(turns):
        for token, earned in turn.rewards.items():
            table[:, row, token] = torch.tensor(earned, device=device)
    return table
