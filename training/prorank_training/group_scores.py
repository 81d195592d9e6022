"""The scores of groups, with gradients: each query is read once, its documents share its keys and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.batches import batches
from prorank_search.scoring.decoder import Decoder
from prorank_search.scoring.forward import last_hidden, read_prefixes


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a group.

    Attributes:
        encoder: The prompt, which says how much of a text is read.
        query: The query.
        texts: The documents, one at least.
    """

    encoder: PromptEncoder
    query: str
    texts: Sequence[str]


def group_scores(decoder: Decoder, readings: Sequence[Reading], tokens_a_batch: int) -> list[Tensor]:
    """Score the documents of some queries, in as few passes as the budget of tokens allows.

    Passes are what costs on CPUs: each reads all weights, and adds to all of their gradients.

    Args:
        decoder: The model.
        readings: What to read.
        tokens_a_batch: Padded tokens of one forward pass over documents.

    Returns:
        z("1") - z("0") of each reading's texts, (documents,), fp32.
    """
    prompts = [reading.encoder.prefix(reading.query).ids for reading in readings]
    prefixes = read_prefixes(decoder, prompts)
    rows, prefix_of = [], []
    for reading, prompt, prefix in zip(readings, prompts, prefixes, strict=True):
        rows += [document.ids for document in reading.encoder.documents(reading.texts, len(prompt))]
        prefix_of += [prefix] * len(reading.texts)
    together = batches([len(row) for row in rows], tokens_a_batch)
    hidden = [last_hidden(decoder, [rows[at] for at in batch], [prefix_of[at] for at in batch]) for batch in together]
    encoder = readings[0].encoder
    answers = decoder.head_rows([encoder.relevant_token, encoder.irrelevant_token]).float()  # (2, hidden)
    scores = torch.cat(hidden).float() @ (answers[0] - answers[1])  # (documents,), in the order of the batches
    order = torch.tensor([at for batch in together for at in batch], device=scores.device)
    in_order = torch.zeros_like(scores).scatter(0, order, scores)
    return list(in_order.split([len(reading.texts) for reading in readings]))
