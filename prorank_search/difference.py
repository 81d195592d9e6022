"""A trained model as a small difference to its base: what a checkpoint ships instead of all weights.

Each weight that changed has one of these forms in the file, under its name in `transformers`:

    NAME.dense                  the difference itself; for vectors
    NAME.up, NAME.down          a product of two thin matrices, up @ down
    NAME.codes, NAME.scales     4-bit codes, two a byte, with one fp16 scale for each 32 numbers of a row
    NAME.up_codes, NAME.up_scales, NAME.down_codes, NAME.down_scales
                                a product of two thin matrices, each in such codes
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from prorank_search.errors import CheckpointError

GROUP = 32
"""Numbers that share a scale."""

_LEVELS = 7
"""4-bit codes run from -7 to 7."""

_SMALLEST_SCALE = 2.0**-24
"""The smallest number above zero in fp16."""


def apply_difference(base: Mapping[str, Tensor], difference: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the base's weights with a difference added, in fp32 where something was added.

    Raises:
        CheckpointError: The difference is of a weight that the base does not have, or has in another shape.
    """
    weights = dict(base)
    for name, parts in _by_weight(difference).items():
        if name not in base:
            raise CheckpointError(f"the adapter changes {name!r}, which the base does not have: it is another base's")
        change = _change(name, parts)
        if change.shape != base[name].shape:
            shapes = f"{tuple(change.shape)} and {tuple(base[name].shape)}"
            raise CheckpointError(f"adapter and base differ in the shape of {name!r}: {shapes}")
        weights[name] = base[name].float() + change
    return weights


def low_rank(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Return the two factors, up (rows, rank) and down (rank, columns), nearest to a difference (Eckart and Young)."""
    left, values, right = torch.linalg.svd(change.float(), full_matrices=False)
    root = values[:rank].sqrt()
    return left[:, :rank] * root, root[:, None] * right[:rank]


def to_codes(change: Tensor) -> tuple[Tensor, Tensor]:
    """Round a difference (rows, columns) to 4 bits.

    Returns:
        Codes (rows, columns / 2) in uint8, two a byte, and scales (rows, columns / 32) in fp16.
    """
    rows, columns = change.shape
    grouped = change.float().view(rows, columns // GROUP, GROUP)
    scales = (grouped.abs().amax(-1) / _LEVELS).clamp_min(_SMALLEST_SCALE).to(torch.float16)
    codes = (grouped / scales.float()[..., None]).round().clamp(-_LEVELS, _LEVELS).view(rows, columns) + 8
    pairs = codes.to(torch.uint8).view(rows, columns // 2, 2)
    return pairs[..., 0] | (pairs[..., 1] << 4), scales


def from_codes(codes: Tensor, scales: Tensor) -> Tensor:
    """Undo `to_codes`, up to rounding."""
    rows = codes.shape[0]
    numbers = torch.stack([codes & 15, codes >> 4], -1).view(rows, -1, GROUP).float() - 8
    return (numbers * scales.float()[..., None]).view(rows, -1)


def _by_weight(difference: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    weights: dict[str, dict[str, Tensor]] = {}
    for key, tensor in sorted(difference.items()):
        name, _, part = key.rpartition(".")
        weights.setdefault(name, {})[part] = tensor
    return weights


def _change(name: str, parts: Mapping[str, Tensor]) -> Tensor:
    match sorted(parts):
        case ["dense"]:
            return parts["dense"].float()
        case ["down", "up"]:
            return parts["up"].float() @ parts["down"].float()
        case ["codes", "scales"]:
            return from_codes(parts["codes"], parts["scales"])
        case ["down_codes", "down_scales", "up_codes", "up_scales"]:
            up = from_codes(parts["up_codes"], parts["up_scales"])
            return up @ from_codes(parts["down_codes"], parts["down_scales"])
    raise CheckpointError(f"the adapter holds {name!r} as {', '.join(parts)}: a form that nobody here reads")
