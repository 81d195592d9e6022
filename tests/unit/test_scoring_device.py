from __future__ import annotations

from pathlib import Path

import pytest
import torch

from prorank_search.errors import ConfigError
from prorank_search.scoring.device import choose_device, choose_dtype, cpu_has_fast_bf16


@pytest.mark.parametrize(
    ("flags", "fast"), [("fpu avx512f avx512_bf16", True), ("Features: fp asimd bf16", True), ("fpu avx2", False)]
)
def test_bf16_is_fast_where_the_kernel_says_so(tmp_path: Path, flags: str, fast: bool) -> None:  # noqa: FBT001
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n", encoding="utf-8")
    assert cpu_has_fast_bf16(tmp_path / "cpuinfo") == fast


def test_a_machine_that_does_not_say_has_no_fast_bf16(tmp_path: Path) -> None:
    assert not cpu_has_fast_bf16(tmp_path / "cpuinfo")


def test_the_dtype_that_was_asked_for_is_taken() -> None:
    assert choose_dtype("float32", torch.device("cpu")) == torch.float32
    assert choose_dtype("bfloat16", torch.device("cpu")) == torch.bfloat16


def test_auto_finds_a_device_that_is_there() -> None:
    assert choose_device("auto").type in {"cpu", "cuda", "mps"}
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="'cuda' is not on this machine"):
        choose_device("cuda")


def test_a_device_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ConfigError, match="'tpu': choose auto"):
        choose_device("tpu")
