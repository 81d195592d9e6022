"""A cross-encoder of sentence-transformers: it reads query and text together, and answers with one number."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from sentence_transformers import CrossEncoder

from prorank_search.encodable import encodable
from prorank_search.errors import RescorerError
from prorank_search.rescorers.sentence_transformers.loading import too_long
from prorank_search.scoring.deadline import in_time
from prorank_search.scoring.speed import Speed, info_of, probe
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_TEXTS_A_PASS = 8


class CrossEncoderRescorer:
    """Score = the model's answer before any activation. Safe from many threads, one of which scores at a time.

    Args:
        model: Answers with one number.
        name: What results call it.
        revision: Changes whenever a score may change.
        speed_file: The cache of this machine's measured speed; None: the model runs on an accelerator.
    """

    def __init__(self, model: CrossEncoder, name: str, revision: str, speed_file: Path | None) -> None:
        self._model = model
        self._name = name
        self._lock = Lock()  # a tokenizer's truncation is a state, which each call sets anew
        self.revision = revision
        self._speed = Speed(speed_file, revision, self._probe) if speed_file else None

    @property
    def info(self) -> RescorerInfo:
        """What the model is, and how fast it was seen to be."""
        return info_of(self._name, self._speed)

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text; those that the deadline overtakes come back unscored.

        Raises:
            RescorerError: The model answered with something that is no finite number.
        """
        scored: list[Scored] = []
        for texts in in_time(request.texts, request, _TEXTS_A_PASS):
            began = time.monotonic()
            scored += self._score(encodable(request.query), [encodable(text) for text in texts])
            if self._speed is not None:
                self._speed.saw(len(texts), time.monotonic() - began)
        return scored + [Scored(None)] * (len(request.texts) - len(scored))

    def _score(self, query: str, texts: Sequence[str]) -> list[Scored]:
        pairs = [(query, text) for text in texts]
        with self._lock:
            answers = self._model.predict(
                pairs, batch_size=_TEXTS_A_PASS, activation_fn=lambda logits: logits, show_progress_bar=False
            )
            truncated = too_long(self._model, [query] * len(texts), texts)
        scores = [float(answer) for answer in answers]
        if not all(map(math.isfinite, scores)):
            raise RescorerError(f"{self._name!r} answered with {scores[:5]}: every score has to be a finite number")
        return [Scored(score, cut) for score, cut in zip(scores, truncated, strict=True)]

    def _probe(self) -> float:
        return probe(lambda texts: self._score("probe", texts))
