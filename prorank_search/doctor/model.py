"""The second stage of the settings: whether it loads, and the device it runs on."""

from __future__ import annotations

from importlib.util import find_spec

from prorank_search.doctor.check import Finding, Installation
from prorank_search.search import load_rescorer


def contract(installation: Installation) -> Finding:
    """Load the rescorer: files, contract, answer tokens and golden pair are checked by that."""
    settings = installation.settings
    rescorer = load_rescorer(settings=settings)
    seen = f"{settings.rescorer}: {rescorer.info.model}, revision {rescorer.revision}"
    if rescorer.info.reason:
        return Finding("warn", f"{seen}: {rescorer.info.reason}")
    return Finding("ok", seen)


def device(installation: Installation) -> Finding:
    """Say where a model would run."""
    if find_spec("torch") is None:
        return Finding(
            "skipped", "torch is not installed, so no model runs here", "pip install 'prorank-search[model]'"
        )
    from prorank_search.scoring.device import choose_device, choose_dtype

    chosen = choose_device(installation.settings.device)
    dtype = str(choose_dtype(installation.settings.dtype, chosen)).removeprefix("torch.")
    seen = f"{chosen} in {dtype}"
    if chosen.type == "cpu":
        return Finding("ok", seen, "a CPU rescores about 30 hits in time; an accelerator 100 and more")
    return Finding("ok", seen)
