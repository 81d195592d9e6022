from __future__ import annotations

import pytest
import torch
from torch import Tensor

from prorank_search.difference import apply_difference
from prorank_training.difference_forms import make_difference, size_mb

NUMBERS = torch.Generator().manual_seed(0)
BASE = {"wide": torch.randn(256, 128, generator=NUMBERS), "norm": torch.ones(128), "frozen": torch.ones(4, 4)}
THIN = torch.randn(256, 8, generator=NUMBERS) @ torch.randn(8, 128, generator=NUMBERS)
TRAINED = {"wide": BASE["wide"] + 0.01 * THIN, "norm": torch.full((128,), 1.5), "frozen": torch.ones(4, 4)}


def relative_error(difference: dict[str, Tensor]) -> float:
    weights = apply_difference(BASE, difference)
    wanted = TRAINED["wide"] - BASE["wide"]
    return float((weights["wide"] - TRAINED["wide"]).norm() / wanted.norm())


@pytest.mark.parametrize(
    ("form", "error"),
    [("4-bit", 0.12), ("low-rank-8", 0.005), ("low-rank-32-4-bit", 0.2), ("low-rank-128-4-bit", 0.12)],
)
def test_a_form_gives_the_trained_weights_back_up_to_its_rounding(form: str, error: float) -> None:
    difference = make_difference(BASE, TRAINED, form)
    assert relative_error(difference) < error
    assert torch.equal(apply_difference(BASE, difference)["norm"], TRAINED["norm"])


def test_a_lower_rank_loses_what_lies_beyond_it() -> None:
    assert relative_error(make_difference(BASE, TRAINED, "low-rank-4")) > 0.3


def test_weights_that_did_not_change_are_left_out() -> None:
    assert {key.rpartition(".")[0] for key in make_difference(BASE, TRAINED, "4-bit")} == {"wide", "norm"}


def test_a_matrix_that_is_smaller_whole_is_kept_whole() -> None:
    assert "wide.codes" in make_difference(BASE, TRAINED, "low-rank-96-4-bit")
    assert "wide.up_codes" in make_difference(BASE, TRAINED, "low-rank-64-4-bit")


def test_codes_take_four_and_a_half_bits_a_number() -> None:
    difference = make_difference({"wide": BASE["wide"]}, {"wide": TRAINED["wide"]}, "4-bit")
    assert size_mb(difference) == pytest.approx(256 * 128 * 4.5 / 8 / 1e6)
