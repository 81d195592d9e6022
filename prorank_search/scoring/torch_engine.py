"""The torch engine: log-odds of relevance for rows of tokens that share prefixes. CPU, CUDA and MPS by one code."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from prorank_search.errors import RescorerError
from prorank_search.scoring.decoder import Decoder
from prorank_search.scoring.forward import Prefix, last_hidden, read_prefixes

TOKENS_A_BATCH = {"cpu": 2048, "mps": 4096, "cuda": 16384}
"""Padded tokens of one forward pass: on a CPU what stays in its caches, elsewhere what fills the device."""

Row = tuple[Prefix, Sequence[int]]
"""A query's prefix, and the ids that follow it."""


class TorchEngine:
    """Scores rows of tokens.

    Only the last position of each row meets the output head, and only its two answer rows; their difference is taken
    first, in fp32, so a score is one dot product.

    Args:
        decoder: The model, on its device and in its dtype.
        relevant_token: Id of the answer "1".
        irrelevant_token: Id of the answer "0".
    """

    def __init__(self, decoder: Decoder, relevant_token: int, irrelevant_token: int) -> None:
        self._decoder = decoder
        rows = decoder.head_rows([relevant_token, irrelevant_token]).float()  # (2, hidden)
        self._direction = rows[0] - rows[1]  # (hidden,)
        self.device = rows.device
        self.tokens_a_batch = TOKENS_A_BATCH[self.device.type]

    @torch.inference_mode()
    def prefix(self, ids: Sequence[int]) -> Prefix:
        """Read a query's part of the prompt once."""
        return read_prefixes(self._decoder, [ids])[0]

    @torch.inference_mode()
    def read_prefixes(self, rows: Sequence[Sequence[int]]) -> list[Prefix]:
        """Read the query's part of some prompts in one pass."""
        return read_prefixes(self._decoder, rows)

    @torch.inference_mode()
    def score(self, rows: Sequence[Row]) -> list[float]:
        """Return z("1") - z("0") for each row; where memory runs out, half the rows at a time.

        Raises:
            RescorerError: Not even one row fits into the device's memory.
        """
        try:
            hidden = last_hidden(self._decoder, [ids for _, ids in rows], [prefix for prefix, _ in rows])
            scores: list[float] = (hidden.float() @ self._direction).tolist()
        except torch.OutOfMemoryError as error:
            if len(rows) == 1:
                raise RescorerError(
                    f"one document of {len(rows[0][1])} tokens does not fit into the memory of {self.device}: "
                    "lower max_length_tokens, or use device=cpu"
                ) from error
        else:
            return scores
        torch.cuda.empty_cache()  # only here, after the error is gone, is what the pass had made free again
        half = len(rows) // 2
        return self.score(rows[:half]) + self.score(rows[half:])
