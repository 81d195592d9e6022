"""The golden pair: a checkpoint that no longer tells a relevant text from an irrelevant one does not load."""

from __future__ import annotations

import torch

from prorank_search.checkpoint import Checkpoint
from prorank_search.errors import CheckpointError
from prorank_search.model_files import CONTRACT_FILE
from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.torch_engine import TorchEngine


def score_pair(engine: TorchEngine, encoder: PromptEncoder, query: str, texts: tuple[str, str]) -> tuple[float, float]:
    """Return the scores of two texts for a query."""
    prompt = encoder.prefix(query)
    prefix = engine.prefix(prompt.ids)
    rows = encoder.documents(texts, len(prompt.ids))
    first, second = engine.score([(prefix, row.ids) for row in rows])
    return first, second


def verify(checkpoint: Checkpoint, engine: TorchEngine, encoder: PromptEncoder, dtype: torch.dtype) -> None:
    """Score the contract's golden pair and compare the gap with the one that was measured when it was saved.

    Raises:
        CheckpointError: The gap differs by more than the contract's tolerance for this dtype.
    """
    if checkpoint.contract is None:
        return
    golden = checkpoint.contract.golden_pair
    form = str(dtype).removeprefix("torch.")
    if form not in golden.tolerance:
        raise CheckpointError(f"{checkpoint.name}: golden_pair.tolerance in {CONTRACT_FILE} says nothing of {form}")
    relevant, irrelevant = score_pair(engine, encoder, golden.query, (golden.relevant, golden.irrelevant))
    gap = relevant - irrelevant
    if not abs(gap - golden.score_gap) <= golden.tolerance[form]:
        raise CheckpointError(
            f"{checkpoint.name}: golden_pair.score_gap is {golden.score_gap:.3f} in {CONTRACT_FILE}, {gap:.3f} here "
            f"(tolerance {golden.tolerance[form]} in {form}): "
            "weights, tokenizer or template are not those it was saved with"
        )
