"""A group's scores, with gradients: the query is read once, its documents share its keys and values."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.batches import batches
from prorank_search.scoring.decoder import Decoder
from prorank_search.scoring.forward import last_hidden, read_prefix


def group_scores(
    decoder: Decoder, encoder: PromptEncoder, query: str, texts: Sequence[str], tokens_a_batch: int
) -> Tensor:
    """Score the documents of one query.

    Args:
        decoder: The model.
        encoder: Its prompt.
        query: The query.
        texts: The documents.
        tokens_a_batch: Padded tokens of one forward pass over documents.

    Returns:
        z("1") - z("0") for each text, (documents,), fp32.
    """
    prompt = encoder.prefix(query)
    rows = [document.ids for document in encoder.documents(texts, len(prompt.ids))]
    prefix = read_prefix(decoder, prompt.ids)
    together = batches([len(row) for row in rows], tokens_a_batch)
    hidden = [last_hidden(decoder, [rows[at] for at in batch], [prefix] * len(batch)) for batch in together]
    answers = decoder.head_rows([encoder.relevant_token, encoder.irrelevant_token]).float()  # (2, hidden)
    scores = torch.cat(hidden).float() @ (answers[0] - answers[1])  # (documents,), in the order of the batches
    order = torch.tensor([at for batch in together for at in batch], device=scores.device)
    return torch.zeros_like(scores).scatter(0, order, scores)
