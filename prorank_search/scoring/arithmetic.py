"""The arithmetic of a layer beside attention, forward and backward, in few passes over memory.

On CPUs it is memory that a small model waits for: a token's activations are read and written many times, and a weight
of a few megabytes is multiplied with a few hundred tokens. So each function here makes its result in as few passes as
it can, and keeps for the backward pass what would cost more to make again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from prorank_search.scoring import packed

Activation = Literal["silu", "gelu"]
"""What a gate goes through; `gelu` by its tanh approximation."""

_CACHED_NUMBERS = 2**19
"""Numbers that a core's cache holds a few arrays of: longer ones are worked through in pieces of so many."""


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return `inputs @ weight.T + bias`.

    Args:
        inputs: (..., in).
        weight: (out, in); for training on CPUs best as `trained_layout` lays it, for scoring as `packed` packs it.
        bias: (out,).
    """
    if weight.is_mkldnn:
        return packed.product(inputs, weight, bias)
    if bias is None and weight.requires_grad and weight.device.type == "cpu":
        product: Tensor = _Linear.apply(inputs, weight)
        return product
    return F.linear(inputs, weight, bias)


def linear_onto(hidden: Tensor, inputs: Tensor, weight: Tensor) -> Tensor:
    """Return `hidden + inputs @ weight.T`: what a half of a layer adds."""
    if weight.is_mkldnn:
        return packed.product_onto(hidden, inputs, weight)
    return linear(inputs, weight).add_(hidden)


def gated_linear(inputs: Tensor, weights: Mapping[str, Tensor], at: str, activation: Activation) -> Tensor:
    """Return the inner state of a gated feed-forward.

    Args:
        inputs: (..., in).
        weights: The decoder's; gate and up stand in them as one matrix, or packed.
        at: Where this feed-forward's names begin.
        activation: What the gate goes through.

    Returns:
        (..., inner).
    """
    both = weights.get(f"{at}.gate_up_proj.weight")
    if both is None:
        gate, up = weights[f"{at}.gate_proj.weight"], weights[f"{at}.up_proj.weight"]
        return packed.gated_product(inputs, gate, up, activation)
    return gated(linear(inputs, both), activation)


def trained_layout(weight: Tensor) -> Tensor:
    """Return a weight laid out in memory as `linear` makes its gradient: column by column where it is wider than high.

    The product of a gradient is twice as fast on CPUs when the narrower of its two factors has been transposed before.
    """
    matrix = weight.ndim > 1
    if matrix and weight.device.type == "cpu" and weight.shape[1] <= weight.shape[0]:
        return weight.t().contiguous().t()
    return weight


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor) -> Tensor:  # noqa: ANN401 (torch's own type)
        ctx.save_for_backward(inputs, weight)
        return F.linear(inputs, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:  # noqa: ANN401 (torch's own type)
        inputs, weight = ctx.saved_tensors
        of_inputs = gradient @ weight if ctx.needs_input_grad[0] else None
        rows, gradients = inputs.flatten(0, -2), gradient.flatten(0, -2)
        if weight.shape[1] <= weight.shape[0]:
            return of_inputs, (rows.t().contiguous() @ gradients).t()
        return of_inputs, gradients.t().contiguous() @ rows


def rms_norm(hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """Scale to root mean square 1, then by `weight`; the mean square is taken in fp32 (Zhang and Sennrich, 2019)."""
    normed: Tensor = _RmsNorm.apply(hidden, weight, epsilon)
    return normed


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:  # noqa: ANN401 (torch's own type)
        accumulate = torch.promote_types(hidden.dtype, torch.float32)
        norm = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True, dtype=accumulate)
        scale = norm.square_().div_(hidden.shape[-1]).add_(epsilon).rsqrt_().to(hidden.dtype)  # (..., 1)
        normed: Tensor = hidden * scale
        if not any(ctx.needs_input_grad):
            return normed.mul_(weight)
        ctx.save_for_backward(normed, weight, scale)
        return normed * weight

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401 (torch's own type)
        normed, weight, scale = ctx.saved_tensors
        weighted = gradient * normed
        along = (weighted @ weight)[..., None] / normed.shape[-1]  # how far the gradient changes the root mean square
        return (gradient * weight).sub_(normed * along).mul_(scale), weighted.flatten(0, -2).sum(0), None


def rotate(heads: Tensor, angles: Tensor) -> Tensor:
    """Rotate queries or keys by their positions (Su et al., RoFormer, 2021).

    Args:
        heads: (rows, heads, tokens, head_dim).
        angles: What `rotary_angles` gives, in the heads' dtype.
    """
    rotated: Tensor = _Rotate.apply(heads, angles)
    return rotated


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, heads: Tensor, angles: Tensor) -> Tensor:  # noqa: ANN401 (torch's own type)
        ctx.save_for_backward(angles)
        return _rotated(heads, angles[0], angles[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 (torch's own type)
        (angles,) = ctx.saved_tensors
        return _rotated(gradient, angles[0], -angles[1]), None


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = heads.shape[-1] // 2
    rotated = heads * cos
    rotated[..., :half].addcmul_(heads[..., half:], sin[..., :half])
    rotated[..., half:].addcmul_(heads[..., :half], sin[..., half:])
    return rotated


def gated(projected: Tensor, activation: Activation) -> Tensor:
    """Return `activation(gate) * up`, the inner state of a gated feed-forward (Shazeer, 2020).

    Args:
        projected: (..., 2 * inner), gate and up side by side.
        activation: What the gate goes through.

    Returns:
        (..., inner).
    """
    product: Tensor = _Gated.apply(projected, activation)
    return product


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, activation: Activation) -> Tensor:  # noqa: ANN401 (torch's own type)
        ctx.save_for_backward(projected)
        ctx.activation = activation
        inner = projected.shape[-1] // 2
        product = projected.new_empty((*projected.shape[:-1], inner))
        for source, target in _pieces(projected, product):
            _activate(source[:, :inner], activation, target).mul_(source[:, inner:])
        return product

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 (torch's own type)
        (projected,) = ctx.saved_tensors
        inner = projected.shape[-1] // 2
        result = torch.empty_like(projected)
        for source, target, incoming in _pieces(projected, result, gradient):
            gate, up = source[:, :inner], source[:, inner:]
            _activate_backward(incoming * up, gate, ctx.activation, target[:, :inner])
            _activate(gate, ctx.activation, target[:, inner:]).mul_(incoming)
        return result, None


def _pieces(widest: Tensor, *others: Tensor) -> zip[tuple[Tensor, ...]]:
    """Cut tensors of as many rows alongside each other, on CPUs into pieces that stay in the cache."""
    tensors = [tensor.flatten(0, -2) for tensor in (widest, *others)]
    rows = max(1, _CACHED_NUMBERS // widest.shape[-1]) if widest.device.type == "cpu" else len(tensors[0])
    return zip(*(tensor.split(rows) for tensor in tensors), strict=True)


def _activate(gate: Tensor, activation: Activation, out: Tensor) -> Tensor:
    if activation == "silu":
        torch.ops.aten.silu.out(gate, out=out)
    else:
        torch.ops.aten.gelu.out(gate, approximate="tanh", out=out)
    return out


def _activate_backward(gradient: Tensor, gate: Tensor, activation: Activation, out: Tensor) -> None:
    if activation == "silu":
        torch.ops.aten.silu_backward.grad_input(gradient, gate, grad_input=out)
    else:
        torch.ops.aten.gelu_backward.grad_input(gradient, gate, approximate="tanh", grad_input=out)
