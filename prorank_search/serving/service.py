"""The service: one model, loaded in the background, and the threads that wait for its scores."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from prorank_search.errors import NotReadyError, RescorerError, UnknownModelError
from prorank_search.protocols import Rescorer
from prorank_search.serving.admission import Admission, tokens_of
from prorank_search.serving.answers import Answer, Asked, answer, check, score_request
from prorank_search.settings import Settings
from prorank_search.types import Scored, ScoreRequest

_LOG = logging.getLogger(__name__)

_THREADS = 64
"""Requests that share the model's passes at a time; a thread only waits."""

_LENGTH_TOKENS = 512
"""Of a prompt at most, for the guess of its tokens where the settings leave it to the model."""

_DEFAULT_PATIENCE_S = 10.0
"""Seconds that a request may wait in line where there is no deadline."""

State = Literal["loading", "ready", "failed", "draining"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: an answer for each question, the tokens it was counted as, and its milliseconds."""

    answers: tuple[Answer, ...]
    tokens: int
    took_ms: float


class Service:
    """Answers what was asked, one model for all. Its coroutines never block the event loop.

    Args:
        settings: Deadline and limits.
        open_rescorer: Loads the model; called once, in a thread of its own, by `start`.
    """

    def __init__(self, settings: Settings, open_rescorer: Callable[[], Rescorer]) -> None:
        self.settings = settings
        self.admission = Admission(settings.max_queued_tokens, settings.timeout_s or _DEFAULT_PATIENCE_S)
        self.state: State = "loading"
        self.failure: Exception | None = None
        self._open_rescorer = open_rescorer
        self._rescorer: Rescorer | None = None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prorank-serve")
        self._length_tokens = settings.max_length_tokens or _LENGTH_TOKENS

    @property
    def rescorer(self) -> Rescorer:
        """The model.

        Raises:
            NotReadyError: It is still loading, or never will be.
        """
        if self._rescorer is None:
            raise NotReadyError("the model is still loading: ask /ready, and try again")
        return self._rescorer

    def start(self, failed: Callable[[], object] = lambda: None) -> None:
        """Load the model in the background.

        Args:
            failed: Called where it cannot be loaded; `failure` tells why.
        """
        threading.Thread(target=self._load, args=(failed,), name="prorank-load", daemon=True).start()

    def drain(self) -> None:
        """Say that this service takes no more; what it has it finishes."""
        self.state = "draining"

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def model_names(self) -> list[str]:
        """Return the names that a request may give the model.

        Raises:
            NotReadyError: It is still loading.
        """
        return list(dict.fromkeys([self.rescorer.info.model, self.settings.rescorer]))

    async def answer(self, asked: Asked, cancelled: Callable[[], bool] | None = None) -> Outcome:
        """Score what was asked; what is not scored in time comes back unscored.

        Cancelling the task that runs this frees its place at once; work that a thread has begun ends when the rescorer
        next looks at `cancelled`.

        Args:
            asked: The request.
            cancelled: True once nobody waits any longer.

        Raises:
            NotReadyError: The model is still loading.
            UnknownModelError: The request names another model.
            InputError: The request cannot be answered.
            OverloadedError: There is no place in line.
            RescorerError: The model failed.
        """
        began = time.monotonic()
        rescorer = self._named(asked.model)
        check(asked, self.settings)
        timeout_s = asked.timeout_s or self.settings.timeout_s
        deadline = None if timeout_s is None else began + timeout_s
        counts = [tokens_of(question.query, question.texts, self._length_tokens) for question in asked.questions]
        tokens, scored_share = sum(counts), 0.0
        self.admission.enter(tokens)
        try:
            requests = [score_request(question, asked, deadline, cancelled) for question in asked.questions]
            scored = await asyncio.gather(*(self._scored(rescorer, request) for request in requests))
            scored_share = _share(scored)
        finally:
            self.admission.leave(tokens, round(tokens * scored_share))
        answers = tuple(answer(texts, rescorer.info, rescorer.revision, asked) for texts in scored)
        return Outcome(answers, tokens, round(1e3 * (time.monotonic() - began), 2))

    async def _scored(self, rescorer: Rescorer, request: ScoreRequest) -> list[Scored]:
        """Wait for a thread until the deadline, then for the rescorer, which keeps to it."""
        future = self._threads.submit(_score, rescorer, request)
        left = None if request.deadline is None else request.deadline - time.monotonic()
        waiting = asyncio.wrap_future(future)
        try:
            await asyncio.wait({waiting}, timeout=left)
            if not future.done() and future.cancel():
                return [Scored(None)] * len(request.texts)
            return await waiting
        finally:
            future.cancel()

    def _named(self, model: str | None) -> Rescorer:
        names = self.model_names()
        if model is not None and model not in names:
            raise UnknownModelError(f"there is no model {model[:80]!r} here; known are: {', '.join(names)}")
        return self.rescorer

    def _load(self, failed: Callable[[], object]) -> None:
        began = time.monotonic()
        try:
            self._rescorer = self._open_rescorer()
        except Exception as error:  # noqa: BLE001 (a thread's error is its starter's to raise)
            self.failure, self.state = error, "failed"
            failed()
            return
        gc.collect()
        gc.freeze()  # a model's objects are here to stay: no collection need walk through them
        if self.state == "loading":
            self.state = "ready"
        _LOG.info("model %s is ready after %.1f s", self._rescorer.info.model, time.monotonic() - began)


def _score(rescorer: Rescorer, request: ScoreRequest) -> list[Scored]:
    late = request.deadline is not None and time.monotonic() >= request.deadline
    if late or (request.cancelled is not None and request.cancelled()):
        return [Scored(None)] * len(request.texts)
    scored = rescorer.score(request)
    if len(scored) != len(request.texts):
        raise RescorerError(f"{rescorer.info.model!r} gave {len(scored)} scores for {len(request.texts)} texts")
    return scored


def _share(scored: Sequence[Sequence[Scored]]) -> float:
    """Return which part of the texts was scored."""
    texts = [text for of_question in scored for text in of_question]
    return sum(text.score is not None for text in texts) / len(texts)
