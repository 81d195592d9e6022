from __future__ import annotations

import pytest
import torch

from prorank_search.difference import GROUP, apply_difference, from_codes, low_rank, to_codes
from prorank_search.errors import CheckpointError


def _random(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)))


def test_a_difference_of_rank_two_is_two_thin_matrices() -> None:
    change = _random(20, 2) @ _random(2, 30)
    up, down = low_rank(change, 2)
    assert (up.shape, down.shape) == ((20, 2), (2, 30))
    torch.testing.assert_close(up @ down, change, atol=1e-4, rtol=1e-4)


def test_more_rank_is_nearer() -> None:
    change = _random(20, 30)
    errors = [(change - up @ down).norm() for up, down in (low_rank(change, rank) for rank in (1, 8, 20))]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-4


@pytest.mark.parametrize("scale", [10.0, 1e-3, 1e-5])
def test_codes_are_off_by_half_a_step_at_most(scale: float) -> None:
    change = _random(8, 3 * GROUP, scale=scale)
    codes, scales = to_codes(change)
    assert (codes.shape, codes.dtype, scales.shape) == ((8, 3 * GROUP // 2), torch.uint8, (8, 3))
    step = scales.float().repeat_interleave(GROUP, 1)
    assert ((from_codes(codes, scales) - change).abs() <= 0.56 * step).all()


def test_what_did_not_change_stays_as_it_is_in_codes() -> None:
    change = torch.zeros(2, GROUP)
    assert from_codes(*to_codes(change)).equal(change)


def test_every_form_is_added_in_fp32_and_the_base_is_left_alone() -> None:
    base = {name: torch.ones(4, GROUP, dtype=torch.bfloat16) for name in ("a.weight", "b.weight", "c.weight")}
    codes, scales = to_codes(_random(4, GROUP))
    difference = {
        "a.weight.codes": codes,
        "a.weight.scales": scales,
        "b.weight.up": _random(4, 2),
        "b.weight.down": _random(2, GROUP),
    }
    changed = apply_difference(base, difference)
    torch.testing.assert_close(changed["a.weight"], 1 + from_codes(codes, scales))
    torch.testing.assert_close(changed["b.weight"], 1 + _random(4, 2) @ _random(2, GROUP))
    assert changed["c.weight"] is base["c.weight"]
    assert base["a.weight"].equal(torch.ones(4, GROUP, dtype=torch.bfloat16))


def test_a_vectors_difference_is_written_as_it_is() -> None:
    changed = apply_difference({"norm": torch.ones(3)}, {"norm.dense": torch.tensor([0.0, 1.0, -1.0])})
    assert changed["norm"].tolist() == [1.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("key", "tensor", "message"),
    [
        ("other.dense", torch.ones(3), "'other'.*does not have"),
        ("norm.dense", torch.ones(4), r"shape of 'norm': \(4,\) and \(3,\)"),
        ("norm.delta", torch.ones(3), "'norm' as delta"),
        ("norm.up", torch.ones(3, 1), "'norm' as up"),
    ],
)
def test_a_difference_of_another_base_is_refused(key: str, tensor: torch.Tensor, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        apply_difference({"norm": torch.ones(3)}, {key: tensor})
