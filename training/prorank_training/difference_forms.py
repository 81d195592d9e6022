"""What a trained model's difference to its base is rounded to, so that it is small enough to ship.

    low-rank-R     each matrix as a product of two thin ones of rank R in bf16
    4-bit          each matrix in 4-bit codes, 4.5 bits a number

Vectors (norms, biases) are kept as they are, in bf16 differences; a weight that did not change is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from prorank_search.difference import low_rank, to_codes


def make_difference(base: Mapping[str, Tensor], trained: Mapping[str, Tensor], form: str) -> dict[str, Tensor]:
    """Return the tensors of `adapter.safetensors`.

    Args:
        base: The base's weights by their names in `transformers`.
        trained: The trained ones, by the same names; weights that were not trained may be missing.
        form: What matrices are rounded to.
    """
    difference: dict[str, Tensor] = {}
    for name, weight in sorted(trained.items()):
        change = weight.float() - base[name].float()
        if change.any():
            difference |= {f"{name}.{part}": tensor for part, tensor in _rounded(change, form).items()}
    return difference


def size_mb(difference: Mapping[str, Tensor]) -> float:
    """Return what a difference takes on disk, in megabytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in difference.values()) / 1e6


def _rounded(change: Tensor, form: str) -> dict[str, Tensor]:
    if change.ndim == 1:
        return {"dense": change.to(torch.bfloat16)}
    if form == "4-bit":
        codes, scales = to_codes(change)
        return {"codes": codes, "scales": scales}
    up, down = low_rank(change, int(form.removeprefix("low-rank-")))
    return {"up": up.to(torch.bfloat16).contiguous(), "down": down.to(torch.bfloat16).contiguous()}
