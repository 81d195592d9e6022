"""Which device and which number format a model runs in on this machine."""

from __future__ import annotations

from pathlib import Path

import torch

from prorank_search.errors import ConfigError

_FAST_BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""CPU flags (x86, then Arm) with which bf16 products are faster than fp32 ones."""


def choose_device(wanted: str) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ConfigError: This machine or this torch does not have it.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if present[name]))
    name = wanted.partition(":")[0]
    if name not in present:
        raise ConfigError(f"device={wanted!r}: choose auto, cpu, cuda or mps")
    if not present[name]:
        raise ConfigError(f"device={wanted!r} is not on this machine (torch {torch.__version__}): use auto or cpu")
    return torch.device(wanted)


def choose_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """Return the dtype for `auto`, `float32` or `bfloat16`; auto is bf16 where the device multiplies it fast."""
    if wanted != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[wanted]
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else device.type == "cpu" and cpu_has_fast_bf16()
    return torch.bfloat16 if fast else torch.float32


def cpu_has_fast_bf16(cpu_info: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether this CPU multiplies bf16 in hardware, by the flags the kernel reports."""
    if not cpu_info.is_file():
        return False
    flags = set(cpu_info.read_text(encoding="utf-8", errors="replace").split())
    return any(flag in flags for flag in _FAST_BF16)
