"""What a trained model's difference to its base is rounded to, so that it is small enough to ship.

    4-bit               each matrix in 4-bit codes, 4.5 bits a number
    low-rank-R          each matrix as a product of two thin ones of rank R in bf16
    low-rank-R-4-bit    the same in 4-bit codes, R a multiple of 32; a matrix that is smaller whole is kept whole

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
        return _coded("", change)
    rank, in_codes = _read(form)
    if in_codes and rank * sum(change.shape) >= change.numel():
        return _coded("", change)
    up, down = low_rank(change, rank)
    if in_codes:
        return _coded("up_", up) | _coded("down_", down)
    return {"up": up.to(torch.bfloat16).contiguous(), "down": down.to(torch.bfloat16).contiguous()}


def _coded(part: str, numbers: Tensor) -> dict[str, Tensor]:
    codes, scales = to_codes(numbers.contiguous())
    return {f"{part}codes": codes, f"{part}scales": scales}


def _read(form: str) -> tuple[int, bool]:
    """Return the rank that a low-rank form names, and whether it is in 4-bit codes."""
    rank = form.removeprefix("low-rank-").removesuffix("-4-bit")
    return int(rank), form.endswith("-4-bit")
