"""How fast a model scores on this machine: a probe the first time, kept in the cache, corrected by what is seen."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from prorank_search.types import RescorerInfo

WINDOW_ON_ACCELERATOR, WINDOW_ON_CPU = 100, 30
"""First-stage hits that `auto` stands for, as long as the deadline leaves time for them."""
PASSAGES_ON_ACCELERATOR, PASSAGES_ON_CPU = 3, 1
"""Passages of each hit that are scored, where documents are cut into passages."""

_WEIGHT = 0.3
"""Of the newest sight in the running mean."""

_WORTH_WRITING = 0.1
"""Relative change from which the mean is written again."""


_TYPICAL_TEXT = "word " * 160
"""For the guess of what fits into a deadline."""

PROBE_TEXTS = 4


def probe(score: Callable[[list[str]], object]) -> float:
    """Return the seconds that a model takes for one text of usual length; `score` scores some."""
    began = time.monotonic()
    score([_TYPICAL_TEXT] * PROBE_TEXTS)
    return (time.monotonic() - began) / PROBE_TEXTS


class Speed:
    """Seconds that one text takes, as a running mean kept in a file. Safe from many threads.

    Args:
        file: The cache, a JSON object of keys and seconds; made where it is missing, begun anew where it is damaged.
        key: Of model, number format and device: what the speed depends on.
        probe: Measures the seconds once, where the file does not know them.
    """

    def __init__(self, file: Path, key: str, probe: Callable[[], float]) -> None:
        self._file, self._key = file, key
        self._lock = threading.Lock()
        self._written = _read(file).get(key, 0.0)
        self.seconds_a_text = self._written or probe()
        self._keep()

    def saw(self, texts: int, seconds: float) -> None:
        """Correct the mean by one request: how many texts it scored, and how long that took."""
        if not texts:
            return
        with self._lock:
            self.seconds_a_text += _WEIGHT * (seconds / texts - self.seconds_a_text)
            self._keep()

    def _keep(self) -> None:
        if abs(self.seconds_a_text - self._written) <= _WORTH_WRITING * self._written:
            return
        partial = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a cache that cannot be written costs a probe, not a search
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(_read(self._file) | {self._key: self.seconds_a_text}), encoding="utf-8")
            partial.replace(self._file)
        self._written = self.seconds_a_text


def info_of(model: str, speed: Speed | None) -> RescorerInfo:
    """Return what a model is, and how fast it was seen to be; without a speed it runs on an accelerator."""
    if speed is None:
        return RescorerInfo(model, window_size=WINDOW_ON_ACCELERATOR, passages_per_hit=PASSAGES_ON_ACCELERATOR)
    return RescorerInfo(model, window_size=WINDOW_ON_CPU, seconds_a_text=speed.seconds_a_text)


def _read(file: Path) -> dict[str, float]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, float) and value > 0}
