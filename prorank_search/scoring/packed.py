"""Weights packed once for oneDNN, for scoring in bf16 on CPUs.

A product with a packed weight need not rearrange it first, and takes the gate or the sum that follows it along while
its result is still in the cache: half the time of a layer's feed-forward for a few documents, a sixth less for many.
The operators are those that torch's own compiler emits for CPUs.
"""

from __future__ import annotations

import torch
from torch import Tensor

Pointwise = tuple[str, list[float], str]
"""What oneDNN does to a product's numbers: its name, scalars, algorithm."""

_NOTHING: Pointwise = ("none", [], "")
_ACTIVATIONS: dict[str, Pointwise] = {"silu": ("swish", [], ""), "gelu": ("gelu", [], "tanh")}

_HALVES = ("gate_proj", "up_proj")


def pack(weights: dict[str, Tensor]) -> None:
    """Replace a decoder's bf16 matrices by packed ones, in place, where this processor multiplies them well.

    Gate and up, which are one matrix elsewhere, are packed apart. The embeddings stay: single rows of them are read.

    Args:
        weights: What the decoder multiplies with, by name; for scoring only: nothing packed has a gradient.
    """
    for name in [name for name in weights if name.endswith("_proj.weight") and _can_be_packed(weights[name])]:
        weight = weights.pop(name)
        if "gate_up_proj" in name:
            for half, rows in zip(_HALVES, weight.chunk(2), strict=True):
                weights[name.replace("gate_up_proj", half)] = _packed(rows)
        else:
            weights[name] = _packed(weight)


def product(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return `inputs @ weight.T + bias` for a packed weight."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, *_NOTHING)  # noqa: SLF001 (no public name)
    return result


def product_onto(hidden: Tensor, inputs: Tensor, weight: Tensor) -> Tensor:
    """Return `hidden + inputs @ weight.T` for a packed weight."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise.binary(inputs, hidden, weight, None, "add")  # noqa: SLF001
    return result


def gated_product(inputs: Tensor, gate: Tensor, up: Tensor, activation: str) -> Tensor:
    """Return `activation(inputs @ gate.T) * (inputs @ up.T)` for packed weights."""
    pointwise = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
    gates = pointwise(inputs, gate, None, *_ACTIVATIONS[activation])
    result: Tensor = pointwise.binary(inputs, gates, up, None, "mul")
    return result


def _can_be_packed(weight: Tensor) -> bool:
    return (
        weight.dtype is torch.bfloat16
        and weight.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001
    )


def _packed(weight: Tensor) -> Tensor:
    result: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), None)  # noqa: SLF001
    return result
