"""What the engine needs of a decoder, and what all of them share beside their arithmetic.

An architecture is one small file beside this one: it reads its `config.json`, and says what stands before and after
attention in a layer. Attention itself, the query's shared keys and values, and the answer's two head rows are the
engine's. Heads are laid out as (rows, heads, tokens, head_dim).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Attention:
    """What the engine must know to attend for one layer.

    Attributes:
        scale: Factor on the dot products.
        window: Tokens a token looks back on, itself included; None: all of them.
        theta: Base of the rotary angles.
    """

    scale: float
    window: int | None
    theta: float


class Decoder(Protocol):
    """A decoder-only transformer, cut open at its attention."""

    attentions: tuple[Attention, ...]
    head_dim: int

    def embed(self, ids: Tensor) -> Tensor:
        """Map ids (rows, tokens) to hidden states (rows, tokens, hidden)."""
        ...

    def project(self, layer: int, hidden: Tensor, angles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rotated queries and keys, and the values, of one layer."""
        ...

    def finish(self, layer: int, hidden: Tensor, attended: Tensor) -> Tensor:
        """Return the hidden states after a layer, given what attention brought (rows, tokens, heads * head_dim)."""
        ...

    def norm(self, hidden: Tensor) -> Tensor:
        """Apply the last norm."""
        ...

    def head_rows(self, token_ids: list[int]) -> Tensor:
        """Return the output head's rows (len(token_ids), hidden) of some tokens."""
        ...

    def parameters(self) -> dict[str, Tensor]:
        """Return all weights under the names they have here (fused where they are multiplied together)."""
        ...


def rotary_angles(positions: Tensor, head_dim: int, theta: float) -> Tensor:
    """Return cos and sin of the rotary angles in fp32.

    Args:
        positions: Position of each token (rows, tokens).
        head_dim: Numbers in a head.
        theta: Base of the angles.

    Returns:
        (2, rows, 1, tokens, head_dim): cos, then sin with the sign of the half that is swapped in.
    """
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    angles = positions.float()[..., None] / theta**exponents  # (rows, tokens, head_dim / 2)
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)])[:, :, None]


def split_heads(projected: Tensor, counts: tuple[int, ...], head_dim: int) -> tuple[Tensor, ...]:
    """Cut a fused projection (rows, tokens, heads * head_dim) by head counts, as (rows, heads, tokens, head_dim)."""
    rows, tokens, _ = projected.shape
    heads: tuple[Tensor, ...] = projected.view(rows, tokens, sum(counts), head_dim).transpose(1, 2).split(counts, dim=1)
    return heads


def fuse(weights: Mapping[str, Tensor], names: list[str]) -> Tensor:
    """Stack weights that are multiplied with the same input into one, so that one product serves them all."""
    return torch.cat([weights[name] for name in names])
