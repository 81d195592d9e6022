"""What the engine needs of a decoder, and the arithmetic that all of them share.

An architecture is one small file beside this one: it reads its `config.json`, and says what stands before and after
attention in a layer. Attention itself, the query's shared keys and values, and the answer's two head rows are the
engine's. Heads are laid out as (rows, heads, tokens, head_dim).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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


def rotate(heads: Tensor, angles: Tensor) -> Tensor:
    """Rotate queries or keys (rows, heads, tokens, head_dim) by their positions (Su et al., RoFormer, 2021)."""
    swapped = heads.roll(heads.shape[-1] // 2, -1)
    return heads * angles[0] + swapped * angles[1]


def rms_norm(hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """Scale to root mean square 1, then by `weight`; the mean square is taken in fp32 (Zhang and Sennrich, 2019)."""
    normed: Tensor = _RmsNorm.apply(hidden, weight, epsilon)
    return normed


class _RmsNorm(torch.autograd.Function):
    """RMS norm in few passes over memory: on CPUs half the time of torch's own, forward and backward."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:  # noqa: ANN401 (torch's own type)
        accumulate = torch.promote_types(hidden.dtype, torch.float32)
        norm = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True, dtype=accumulate)
        scale = norm.square_().div_(hidden.shape[-1]).add_(epsilon).rsqrt_().to(hidden.dtype)  # (..., 1)
        normed: Tensor = hidden * scale
        ctx.save_for_backward(normed, weight, scale)
        return normed * weight

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401 (torch's own type)
        normed, weight, scale = ctx.saved_tensors
        weighted = gradient * normed
        along = (weighted @ weight)[..., None] / normed.shape[-1]  # how far the gradient changes the root mean square
        return (gradient * weight).sub_(normed * along).mul_(scale), weighted.flatten(0, -2).sum(0), None


def split_heads(projected: Tensor, counts: tuple[int, int, int], head_dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """Cut a fused projection (rows, tokens, heads * head_dim) into queries, keys and values by head counts."""
    rows, tokens, _ = projected.shape
    heads = projected.view(rows, tokens, sum(counts), head_dim).transpose(1, 2)
    queries, keys, values = heads.split(counts, dim=1)
    return queries, keys, values


def fuse(weights: Mapping[str, Tensor], names: list[str]) -> Tensor:
    """Stack weights that are multiplied with the same input into one, so that one product serves them all."""
    return torch.cat([weights[name] for name in names])
