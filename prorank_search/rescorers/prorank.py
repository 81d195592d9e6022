"""The ProRank rescorer: one small language model, one scheduler, log-odds of relevance.

Paper: "ProRank: Prompt Warmup via Reinforcement Learning for Small Language Models Reranking" (arXiv 2506.03487).
"""

from __future__ import annotations

import time

from prorank_search import checkpoint as checkpoints
from prorank_search import models
from prorank_search.scoring.loading import Loaded, load_engine
from prorank_search.scoring.scheduler import Scheduler
from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_REASONS = {
    "prorank": "",
    "untrained": "model {name!r} was never trained to rank: its scores mean nothing",
    "foreign": "model {name!r} has no ProRank contract: its prompt is a guess and its scores were never checked",
}

_TYPICAL_TOKENS = 160
"""Of a document, for the guess of what fits into a deadline."""

_WINDOW_ON_ACCELERATOR, _WINDOW_ON_CPU = 100, 30

_SHARE_OF_DEADLINE = 0.7
"""What of a search's time the second stage may plan with."""


class ProRankRescorer:
    """Scores texts with a ProRank checkpoint. Safe from many threads, which share forward passes.

    Args:
        loaded: The model.
        timeout_s: The deadline that `info.window_size` is to fit into; None: there is none.
    """

    def __init__(self, loaded: Loaded, timeout_s: float | None = None) -> None:
        self._encoder = loaded.encoder
        self._scheduler = Scheduler(loaded.engine)
        self.revision = loaded.revision
        checkpoint = loaded.checkpoint
        self.info = RescorerInfo(
            model=checkpoint.name,
            calibration=checkpoint.calibration,
            blend=checkpoint.blend,
            reason=_REASONS[checkpoint.state].format(name=checkpoint.name),
            window_size=_window(loaded, timeout_s),
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
    """Load the model that the settings name.

    Raises:
        MissingModelError: It was never pulled.
        CheckpointError: It fails its contract.
        ConfigError: The device is not on this machine.
    """
    folder = models.model_folder(settings.model, settings)
    contract = checkpoints.read_contract(folder)
    base_folder = models.model_folder(contract.base, settings) if contract and contract.base else folder
    loaded = load_engine(
        settings.model,
        folder,
        base_folder,
        device=settings.device,
        dtype=settings.dtype,
        max_length_tokens=settings.max_length_tokens,
    )
    return ProRankRescorer(loaded, settings.timeout_s)


def _window(loaded: Loaded, timeout_s: float | None) -> int:
    """Return how many hits to rescore on this machine: fewer than usual where a short probe says they will not fit."""
    engine, encoder = loaded.engine, loaded.encoder
    if engine.device.type != "cpu":
        return _WINDOW_ON_ACCELERATOR
    if timeout_s is None:
        return _WINDOW_ON_CPU
    prefix = engine.prefix(encoder.prefix("probe").ids)
    row = [encoder.irrelevant_token] * min(_TYPICAL_TOKENS, encoder.max_length_tokens - prefix.tokens)
    began = time.monotonic()
    engine.score([(prefix, row)] * 4)
    seconds_a_text = (time.monotonic() - began) / 4
    return max(1, min(_WINDOW_ON_CPU, int(_SHARE_OF_DEADLINE * timeout_s / seconds_a_text)))
