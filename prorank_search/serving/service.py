"""The service: its models, the threads that wait for their scores, and who is let in."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from prorank_search.errors import NotReadyError, ProRankError, RescorerError, UnknownModelError
from prorank_search.evaluation.score_cache import CachedRescorer, open_score_cache, remembering
from prorank_search.protocols import Rescorer
from prorank_search.rescore import checked
from prorank_search.scoring.deadline import is_over
from prorank_search.serving.admission import Admission, tokens_of
from prorank_search.serving.answers import Answer, Asked, answer, check
from prorank_search.serving.model_sources import source_of
from prorank_search.serving.shelf import Held, Shelf, Source
from prorank_search.settings import Settings
from prorank_search.storage.memory_cache import MemoryCache
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_LOG = logging.getLogger(__name__)

_THREADS = 64
"""Requests that share the model's passes at a time; a thread only waits."""

_LENGTH_TOKENS = 512
"""Of a prompt at most, for the guess of its tokens where the settings leave it to the model."""

_DEFAULT_PATIENCE_S = 10.0
"""Seconds that a request may wait in line where there is no deadline."""

_LOOK_S = 2.0
"""How often the service looks whether another model lies in the place of one that it has."""

_FIRST = ""
"""What the shelf calls the model that the settings name."""

State = Literal["loading", "ready", "failed", "draining"]


@dataclass(frozen=True, slots=True)
class Scoring:
    """What became of a request.

    Attributes:
        scored: What the model said of each question's texts, in the order of the request.
        info: What the very model says of itself that scored.
        revision: Its revision.
        tokens: As which the request was counted.
        took_ms: Milliseconds that it took.
    """

    scored: tuple[Sequence[Scored], ...]
    info: RescorerInfo
    revision: str
    tokens: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request is answered with: an answer for each question, the tokens it was counted as, its milliseconds."""

    answers: tuple[Answer, ...]
    tokens: int
    took_ms: float


class Service:
    """Answers what was asked. Its coroutines never block the event loop.

    Args:
        settings: Deadline and limits.
        open_rescorer: Loads the model; called in a thread of its own, by `start` and where the model changed.
        others: Other models by name, loaded when they are asked for.

    Raises:
        ConfigError: The scores on disk cannot be used.
    """

    def __init__(
        self, settings: Settings, open_rescorer: Callable[[], Rescorer], others: Mapping[str, Source] | None = None
    ) -> None:
        self.settings = settings
        self.admission = Admission(settings.max_queued_tokens, settings.timeout_s or _DEFAULT_PATIENCE_S)
        self.state: State = "loading"
        self.failure: Exception | None = None
        self.memory = _open_memory(settings)
        self._shelf = Shelf({_FIRST: source_of(settings, open_rescorer), **(others or {})}, settings.more_models_mb)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prorank-serve")
        self._length_tokens = settings.max_length_tokens or _LENGTH_TOKENS
        self._closed = threading.Event()

    @property
    def rescorer(self) -> Rescorer:
        """The model that the settings name.

        Raises:
            NotReadyError: It is still loading, or never will be.
        """
        rescorer = self._shelf.loaded().get(_FIRST)
        if rescorer is None:
            raise NotReadyError("the model is still loading: ask /ready, and try again")
        return rescorer

    def start(self, failed: Callable[[], object] = lambda: None) -> None:
        """Load the model in the background, and look from time to time whether another one lies in its place.

        Args:
            failed: Called where it cannot be loaded; `failure` tells why.
        """

        def loaded(loading: Future[None]) -> None:
            error = loading.exception()
            if isinstance(error, Exception):
                self.failure, self.state = error, "failed"
                failed()
            elif self.state == "loading":
                self.state = "ready"

        self._shelf.load(_FIRST).add_done_callback(loaded)
        threading.Thread(target=self._look, name="prorank-look", daemon=True).start()

    def drain(self) -> None:
        """Say that this service takes no more; what it has it finishes."""
        self.state = "draining"

    def close(self) -> None:
        """Let the threads end, and the models go."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._shelf.close()

    def model_names(self) -> list[str]:
        """Return the names that a request may give the model.

        Raises:
            NotReadyError: The first one is still loading.
        """
        return list(dict.fromkeys([self.rescorer.info.model, self.settings.rescorer, *self._shelf.names[1:]]))

    def loaded(self) -> dict[str, Rescorer]:
        """Return the models that are in memory, by name."""
        return {name or rescorer.info.model: rescorer for name, rescorer in self._shelf.loaded().items()}

    def named(self, model: str | None) -> Rescorer | None:
        """Return a model; None where it is loaded only once it is asked for scores.

        Args:
            model: Its name; None: the one that the settings name.

        Raises:
            NotReadyError: The one that the settings name is still loading.
            UnknownModelError: There is none of that name.
        """
        return self._shelf.loaded().get(self._key(model))

    async def answer(self, asked: Asked, cancelled: Callable[[], bool] | None = None) -> Answered:
        """Score what was asked, and make answers of it. See `scored`."""
        scoring = await self.scored(asked, cancelled)
        answers = tuple(answer(texts, scoring.info, scoring.revision, asked) for texts in scoring.scored)
        return Answered(answers, scoring.tokens, scoring.took_ms)

    async def scored(self, asked: Asked, cancelled: Callable[[], bool] | None = None) -> Scoring:
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
            RescorerError: The model failed, or gave a score that is no number.
        """
        began = time.monotonic()
        timeout_s = asked.timeout_s or self.settings.timeout_s
        deadline = None if timeout_s is None else began + timeout_s
        held = await self._held(asked.model, deadline)
        try:
            check(asked, self.settings)
            requests = [
                ScoreRequest(question.query, question.texts, asked.instruction, deadline, cancelled)
                for question in asked.questions
            ]
            scored = await self._in_line(held, requests)
            info, revision = held.rescorer.info, held.rescorer.revision
        finally:
            self._shelf.give_back(held)
        return Scoring(
            tuple(scored), info, revision, self._tokens(requests), round(1e3 * (time.monotonic() - began), 2)
        )

    @contextmanager
    def second_stage(self, model: str | None = None, deadline: float | None = None) -> Iterator[Rescorer]:
        """Give a model to a thread that searches: its scores wait in the same line, and come from the same memory.

        Args:
            model: Its name; None: the one that the settings name.
            deadline: `time.monotonic()` seconds; how long to wait for a model that is being loaded.

        Raises:
            NotReadyError: It is still loading.
            UnknownModelError: There is none of that name.
            RescorerError: It cannot be loaded.
        """
        name = self._key(model)
        held = self._shelf.take(name)
        if held is None:
            loading = self._begin(name)
            wait([loading], timeout=_left(deadline))
            held = self._after(name, loading)
        try:
            yield _SecondStage(self, held.rescorer)
        finally:
            self._shelf.give_back(held)

    def score(self, rescorer: Rescorer, request: ScoreRequest) -> list[Scored]:
        """Score in this thread what is not known yet, when its turn comes.

        Raises:
            OverloadedError: There is no place in line.
            RescorerError: The model failed.
        """
        remembering = self._remembering(rescorer)
        known, missing = _known(remembering, request)
        tokens, scored = self._tokens([missing]), 0
        if not missing.texts:
            return _merged(known, [])
        self.admission.enter(tokens, request.deadline)
        try:
            fresh = _score(remembering, missing)
            scored = round(tokens * _share([fresh]))
        finally:
            self.admission.leave(tokens, scored, request.deadline, rescorer.revision)
        return _merged(known, fresh)

    async def _in_line(self, held: Held, requests: Sequence[ScoreRequest]) -> list[list[Scored]]:
        rescorer = self._remembering(held.rescorer)
        found = await asyncio.to_thread(lambda: [_known(rescorer, request) for request in requests])
        missing = [asked for _, asked in found if asked.texts]
        tokens, scored = self._tokens(missing), 0
        fresh: list[Sequence[Scored]] = []
        if missing:
            deadline = missing[0].deadline
            self.admission.enter(tokens, deadline)
            try:
                fresh = await asyncio.gather(*(self._in_thread(held, rescorer, request) for request in missing))
                scored = round(tokens * _share(fresh))
            finally:
                self.admission.leave(tokens, scored, deadline, rescorer.revision)
        answers = iter(fresh)
        return [_merged(known, next(answers) if asked.texts else []) for known, asked in found]

    async def _in_thread(self, held: Held, rescorer: Rescorer, request: ScoreRequest) -> Sequence[Scored]:
        """Wait for a thread until the deadline, then for the rescorer, which keeps to it."""
        future = self._threads.submit(_score, rescorer, request)
        self._shelf.share(held)
        future.add_done_callback(lambda _: self._shelf.give_back(held))
        waiting = asyncio.wrap_future(future)
        try:
            await asyncio.wait({waiting}, timeout=_left(request.deadline))
            if not future.done() and future.cancel():
                return [Scored(None)] * len(request.texts)
            return await waiting
        finally:
            future.cancel()

    async def _held(self, model: str | None, deadline: float | None) -> Held:
        name = self._key(model)
        held = self._shelf.take(name)
        if held is not None:
            return held
        loading = self._begin(name)
        waiting = asyncio.wrap_future(loading)
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait({waiting}, timeout=_left(deadline))
        return self._after(name, loading)

    def _begin(self, name: str) -> Future[None]:
        if name == _FIRST:
            raise NotReadyError("the model is still loading: ask /ready, and try again")
        return self._shelf.load(name)

    def _after(self, name: str, loading: Future[None]) -> Held:
        error = loading.exception() if loading.done() else None
        if isinstance(error, ProRankError) and not isinstance(error, NotReadyError):
            raise RescorerError(f"the model {name!r} cannot be loaded: {error}") from error
        if error is not None:
            raise error
        held = self._shelf.take(name)
        if held is None:
            raise NotReadyError(f"the model {name!r} is being loaded: try again")
        return held

    def _key(self, model: str | None) -> str:
        names = self.model_names()
        if model in {None, self.rescorer.info.model, self.settings.rescorer}:
            return _FIRST
        if model not in names:
            raise UnknownModelError(f"there is no model {model[:80]!r} here; known are: {', '.join(names)}")
        return model

    def _remembering(self, rescorer: Rescorer) -> Rescorer:
        return rescorer if self.memory is None else remembering(rescorer, self.memory)

    def _tokens(self, requests: Sequence[ScoreRequest]) -> int:
        return sum(tokens_of(request.query, request.texts, self._length_tokens) for request in requests)

    def _look(self) -> None:
        while not self._closed.wait(_LOOK_S):
            self._shelf.refresh()


class _SecondStage:
    """A model of the service as a rescorer of its own."""

    def __init__(self, service: Service, rescorer: Rescorer) -> None:
        self._service, self._rescorer = service, rescorer

    @property
    def revision(self) -> str:
        return self._rescorer.revision

    @property
    def info(self) -> RescorerInfo:
        return self._rescorer.info

    def score(self, request: ScoreRequest) -> list[Scored]:
        return self._service.score(self._rescorer, request)


def _open_memory(settings: Settings) -> MemoryCache | None:
    if not settings.score_memory_mb:
        return None
    path = settings.home / "cache" / "scores.sqlite"
    disk = open_score_cache(path, settings.score_cache_mb) if settings.score_memory_on_disk else None
    return MemoryCache(settings.score_memory_mb, disk)


def _known(rescorer: Rescorer, request: ScoreRequest) -> tuple[list[Scored | None], ScoreRequest]:
    """Return what is known of a request's texts, and the request for the others."""
    known: list[Scored | None] = [None] * len(request.texts)
    if isinstance(rescorer, CachedRescorer) and not is_over(request):
        known = rescorer.known(request)
    texts = [text for text, scored in zip(request.texts, known, strict=True) if scored is None]
    return known, replace(request, texts=texts)


def _merged(known: Sequence[Scored | None], fresh: Sequence[Scored]) -> list[Scored]:
    rest = iter(fresh)
    return [next(rest) if scored is None else scored for scored in known]


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _score(rescorer: Rescorer, request: ScoreRequest) -> Sequence[Scored]:
    if is_over(request):
        return [Scored(None)] * len(request.texts)
    return checked(rescorer.score(request), len(request.texts), rescorer.info.model)


def _share(scored: Sequence[Sequence[Scored]]) -> float:
    """Return which part of the texts was scored."""
    texts = [text for of_question in scored for text in of_question]
    return sum(text.score is not None for text in texts) / len(texts)
