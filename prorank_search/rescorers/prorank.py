"""The ProRank rescorer: one small language model, one scheduler, log-odds of relevance.

Paper: "ProRank: Prompt Warmup via Reinforcement Learning for Small Language Models Reranking" (arXiv 2506.03487).
"""

from __future__ import annotations

import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_search import models, plugins
from prorank_search.scoring.speed import (
    PASSAGES_ON_ACCELERATOR,
    PASSAGES_ON_CPU,
    PROBE_TEXTS,
    WINDOW_ON_ACCELERATOR,
    WINDOW_ON_CPU,
    Speed,
)
from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

if TYPE_CHECKING:
    from prorank_search.scoring.loading import Loaded

_REASONS = {
    "prorank": "",
    "untrained": "model {name!r} was never trained to rank: its scores mean nothing",
    "foreign": "model {name!r} has no ProRank contract: its prompt is a guess and its scores were never checked",
}

_TYPICAL_TOKENS = 160
"""Of a document, for the guess of what fits into a deadline."""


class ProRankRescorer:
    """Scores texts with a ProRank checkpoint. Safe from many threads, which share forward passes.

    It ends by itself, thread and memory, when nobody has it any longer; `close` does so at once.

    Args:
        loaded: The model.
        speed_file: The cache of this machine's measured speed; None: it is not measured.
    """

    def __init__(self, loaded: Loaded, speed_file: Path | None = None) -> None:
        from prorank_search.scoring.scheduler import Scheduler

        self._loaded = loaded
        self._encoder = loaded.encoder
        on_cpu = loaded.engine.device.type == "cpu"
        self._window_size = WINDOW_ON_CPU if on_cpu else WINDOW_ON_ACCELERATOR
        self._passages_per_hit = PASSAGES_ON_CPU if on_cpu else PASSAGES_ON_ACCELERATOR
        self._speed = Speed(speed_file, loaded.revision, lambda: _probe(loaded)) if on_cpu and speed_file else None
        self._scheduler = Scheduler(loaded.engine, self._speed.saw) if self._speed else Scheduler(loaded.engine)
        self.revision = loaded.revision
        # The worker holds the model: without this it would live on when nobody has the rescorer any longer.
        weakref.finalize(self, self._scheduler.stop).atexit = False

    @property
    def info(self) -> RescorerInfo:
        """What the model is, and how fast it was seen to be."""
        checkpoint = self._loaded.checkpoint
        return RescorerInfo(
            model=checkpoint.name,
            calibration=checkpoint.calibration,
            blend=checkpoint.blend,
            reason=_REASONS[checkpoint.state].format(name=checkpoint.name),
            window_size=self._window_size,
            seconds_a_text=self._speed.seconds_a_text if self._speed else 0.0,
            passages_per_hit=self._passages_per_hit,
        )

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text: z("1") - z("0") at the last position of the prompt, log-odds in nats, 0 = undecided.

        Raises:
            RescorerError: The model failed.
        """
        prefix = self._encoder.prefix(request.query, request.instruction)
        documents = self._encoder.documents(request.texts, len(prefix.ids))
        scores = self._scheduler.score(
            prefix.ids, [document.ids for document in documents], request.deadline, request.cancelled
        )
        return [
            Scored(score, document.truncated, prefix.truncated)
            for score, document in zip(scores, documents, strict=True)
        ]

    def close(self) -> None:
        """Finish what is in line, then stop the worker thread."""
        self._scheduler.close()


def open_rescorer(settings: Settings) -> ProRankRescorer:
    """Load the model that the settings name; what is missing is told before torch is imported, which takes seconds.

    Raises:
        MissingModelError: It was never pulled.
        MissingExtraError: The extra `model` is not installed.
        CheckpointError: It fails its contract.
        ConfigError: The device is not on this machine.
    """
    plugins.require("torch", needed_by="prorank")
    folder = models.model_folder(settings.model, settings)
    base = models.base_of(folder)
    base_folder = models.model_folder(base, settings) if base else folder
    from prorank_search.scoring.loading import load_engine

    loaded = load_engine(
        settings.model,
        folder,
        base_folder,
        device=settings.device,
        dtype=settings.dtype,
        max_length_tokens=settings.max_length_tokens,
    )
    return ProRankRescorer(loaded, settings.home / "cache" / "speed.json")


def _probe(loaded: Loaded) -> float:
    """Return the seconds that one text of usual length takes."""
    engine, encoder = loaded.engine, loaded.encoder
    prefix = engine.prefix(encoder.prefix("probe").ids)
    row = [encoder.irrelevant_token] * min(_TYPICAL_TOKENS, encoder.max_length_tokens - prefix.tokens)
    began = time.monotonic()
    engine.score([(prefix, row)] * PROBE_TEXTS)
    return (time.monotonic() - began) / PROBE_TEXTS
