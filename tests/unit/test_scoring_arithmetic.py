from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from prorank_search.scoring import arithmetic, packed
from prorank_search.scoring.arithmetic import (
    Activation,
    gated,
    gated_linear,
    linear,
    linear_onto,
    rms_norm,
    rotate,
    trained_layout,
)
from prorank_search.scoring.decoder import rotary_angles


def _made_up(*shape: int) -> Tensor:
    numbers = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))
    return numbers.requires_grad_()


@pytest.mark.parametrize("out", [3, 8, 20])
def test_a_product_and_its_gradients_are_torchs_own(out: int) -> None:
    inputs, weight = _made_up(2, 5, 8), _made_up(out, 8)
    assert torch.equal(linear(inputs, weight), F.linear(inputs, weight))
    assert torch.autograd.gradcheck(linear, (inputs, weight))


def test_a_product_with_a_bias_has_all_its_gradients() -> None:
    assert torch.autograd.gradcheck(linear, (_made_up(5, 8), _made_up(3, 8), _made_up(3)))


@pytest.mark.parametrize("shape", [(3, 8), (8, 8), (20, 8)])
def test_a_gradient_lies_in_memory_as_the_weight_of_the_trained_layout_does(shape: tuple[int, int]) -> None:
    weight = trained_layout(_made_up(*shape).detach()).requires_grad_()
    assert weight.tolist() == _made_up(*shape).tolist()
    linear(_made_up(5, 8), weight).sum().backward()
    assert weight.grad is not None
    assert weight.grad.stride() == weight.stride()


def test_the_norms_gradients_are_right() -> None:
    assert torch.autograd.gradcheck(partial(rms_norm, epsilon=1e-5), (_made_up(2, 5, 8), _made_up(8)))


def test_the_norm_is_the_same_with_and_without_gradients() -> None:
    hidden, weight = _made_up(2, 5, 8), _made_up(8)
    assert torch.equal(rms_norm(hidden.detach(), weight.detach(), 1e-5), rms_norm(hidden, weight, 1e-5))


def test_rotations_gradients_are_right_and_lengths_stay() -> None:
    heads = _made_up(2, 3, 5, 8)
    angles = rotary_angles(torch.arange(5)[None], 8, 10_000.0).double()
    assert torch.autograd.gradcheck(rotate, (heads, angles))
    torch.testing.assert_close(rotate(heads, angles).norm(dim=-1), heads.norm(dim=-1))


@pytest.mark.parametrize("activation", ["silu", "gelu"])
def test_a_gate_and_its_gradients_are_torchs_own_in_pieces_too(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    projected = _made_up(2, 5, 12)
    gate, up = projected.chunk(2, -1)
    plain = (F.silu(gate) if activation == "silu" else F.gelu(gate, approximate="tanh")) * up
    for numbers in (arithmetic._CACHED_NUMBERS, 36):  # noqa: SLF001 (one piece, then pieces of three rows)
        monkeypatch.setattr(arithmetic, "_CACHED_NUMBERS", numbers)
        torch.testing.assert_close(gated(projected, activation), plain)
        assert torch.autograd.gradcheck(lambda x: gated(x, activation), (projected,))


@pytest.mark.parametrize("activation", ["silu", "gelu"])
def test_a_feed_forward_with_packed_weights_differs_by_bf16s_rounding_only(activation: Activation) -> None:
    hidden = _made_up(2, 5, 64).detach()
    weights = {
        "mlp.gate_up_proj.weight": _made_up(192, 64).detach() / 8,
        "mlp.down_proj.weight": _made_up(64, 96).detach() / 8,
    }
    exact = linear_onto(hidden, gated_linear(hidden, weights, "mlp", activation), weights["mlp.down_proj.weight"])
    rounded = {name: weight.bfloat16() for name, weight in weights.items()}
    packed.pack(rounded)
    inputs = hidden.bfloat16()
    inner = gated_linear(inputs, rounded, "mlp", activation)
    torch.testing.assert_close(
        linear_onto(inputs, inner, rounded["mlp.down_proj.weight"]).double(), exact, atol=0.05, rtol=0.02
    )


def test_a_packed_product_keeps_its_bias() -> None:
    inputs, weight, bias = (_made_up(*shape).detach().bfloat16() for shape in ((5, 64), (32, 64), (32,)))
    weights = {"q_proj.weight": weight}
    packed.pack(weights)
    torch.testing.assert_close(linear(inputs, weights["q_proj.weight"], bias), F.linear(inputs, weight, bias))


def test_what_is_not_bf16_stays_unpacked() -> None:
    weights = {"q_proj.weight": torch.ones(8, 8), "embed_tokens.weight": torch.ones(8, 8).bfloat16()}
    kept = dict(weights)
    packed.pack(weights)
    assert all(weights[name] is kept[name] for name in kept)
