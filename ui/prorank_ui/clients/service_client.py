"""The client that asks a `prorank serve` over HTTP; judgments and jobs are those of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from threading import Lock
from typing import TypeVar
from urllib.parse import urlencode

from prorank_search.errors import ConfigError, NotReadyError
from prorank_search.evaluation.evaluate import FirstStage
from prorank_search.jobs import Job
from prorank_search.profiles import Profile
from prorank_search.protocols import IndexInfo
from prorank_search.settings import Settings
from prorank_search.types import Document, Hit, Query, Ranking, RescorerInfo, Scored, SearchResult
from prorank_ui.choices import Choice, blend_of
from prorank_ui.client import Asking
from prorank_ui.clients import service_answers as answers
from prorank_ui.clients import service_checkup
from prorank_ui.clients.home_client import HomeClient
from prorank_ui.clients.kept_results import KeptResults
from prorank_ui.clients.service_calls import ServiceCalls
from prorank_ui.evaluate import evaluating
from prorank_ui.running_search import RunningSearch
from prorank_ui.status.checkup import Examined

STAGE = "service"
"""What a side is called that is rescored by whatever the service has."""

_FRESH_S = 2.0
"""How long what the service tells of itself is not asked for again: a page asks several times while it is drawn."""

_SEARCH, _SCORE, _INDEXES, _MODELS, _INFO = "/v1/search", "/v1/score", "/v1/indexes", "/v1/models", "/info"
_LONGEST_DEADLINE_S = 3600.0

Read = TypeVar("Read")


class ServiceClient(HomeClient):
    """Asks a service what the pages want to know of indexes and models.

    Args:
        settings: Of this process.
        asking: Tells who asks.
        calls: To the service.
    """

    def __init__(self, settings: Settings, asking: Asking, calls: ServiceCalls) -> None:
        super().__init__(settings, asking)
        self.service = calls.url
        self._calls = calls
        self._settings = settings
        self._results = KeptResults()
        self._told: dict[str, tuple[float, object]] = {}
        self._telling = Lock()

    def indexes(self) -> list[IndexInfo]:
        """List the service's indexes."""
        return self._read(_INDEXES, answers.indexes_in)

    def stages(self, index: str) -> list[str]:
        """Name the one second stage: whatever the service has set up for the index."""
        del index
        return [STAGE]

    def models(self, stage: str) -> dict[str, str]:
        """Return the names by which the service knows its models; none while it is loading the first one."""
        try:
            return {name: name for name in self._read(_MODELS, answers.models_in)} if stage == STAGE else {}
        except NotReadyError:
            return {}

    def top_k(self, index: str) -> int:
        """Return how many hits are seen at first: this machine's setting."""
        del index
        return self._settings.top_k

    def examples(self, index: IndexInfo) -> list[str]:
        """Return none: a service lists no documents."""
        del index
        return []

    def depends_on(self, index: IndexInfo) -> tuple[object, ...]:
        """Return what answers depend on beside the choice: what the index holds, and the service's own model."""
        try:
            told = self._get(_INFO)
        except NotReadyError:
            told = None
        return index.version, index.documents, told.get("model_sha") if isinstance(told, dict) else None

    def start(self, choice: Choice, index: IndexInfo) -> RunningSearch:
        """Start a search of an index as it is now; one that was done before is there at once."""
        return self._results.start((choice, *self.depends_on(index)), lambda cancelled: self.search(choice, cancelled))

    def search(
        self, choice: Choice, cancelled: Callable[[], bool] | None = None, deadline_s: float | None = None
    ) -> SearchResult:
        """Search, and wait for the answer.

        Args:
            choice: What.
            cancelled: True once nobody waits any longer.
            deadline_s: Seconds that the service may take; None: as it is set up.
        """
        body = search_body(choice)
        if deadline_s is not None:
            body["timeout_s"] = min(deadline_s, _LONGEST_DEADLINE_S)
        waits = None if deadline_s is None else deadline_s + self._calls.timeout_s
        return self._parsed(_SEARCH, self._calls.post(_SEARCH, body, cancelled, waits), answers.result_in)

    def text_of(self, index: str, document: Document) -> str:
        """Return title and text of a hit's document: a service does not tell whether its indexes have a template."""
        del index
        return Profile().text_of(document)

    def score(self, choice: Choice, texts: Sequence[str]) -> list[Scored]:
        """Score texts as the choice's model does."""
        body: dict[str, object] = {"text_1": choice.query, "text_2": list(texts), "use_activation": False}
        if choice.side.model:
            body["model"] = choice.side.model
        if choice.side.instruction:
            body["prorank"] = {"instruction": choice.side.instruction}
        return self._parsed(_SCORE, self._calls.post(_SCORE, body), answers.scores_in)

    def first_stage(self, index: str) -> FirstStage:
        """Return the first stage of an index alone."""

        def find(queries: Sequence[Query], top_k: int) -> list[Ranking]:
            found = [self.search(Choice(query.text, index, top_k=top_k)) for query in queries]
            return [_first_stage_in(result, query) for result, query in zip(found, queries, strict=True)]

        return find

    def info(self, model: str | None) -> RescorerInfo:
        """Return what a model of the service says of itself.

        Args:
            model: Its name; None: the one that the service's settings name.
        """
        path = _INFO + ("" if model is None else f"?{urlencode({'model': model})}")
        return self._read(path, answers.info_in)

    def examine(self) -> Examined:
        """Ask the service how it is."""
        return service_checkup.examine(self._calls)

    def start_evaluation(self, wish: evaluating.EvaluationWish) -> Job:
        """Start an evaluation as a job, which asks the service."""
        self._require("judge", "measuring")
        return evaluating.start_on_service(self.home, wish, self._settings)

    def resume_job(self, job: Job) -> None:
        """Go on with an evaluation; other jobs are those of a local installation."""
        if job.kind != evaluating.KIND:
            raise ConfigError(f"{job.title!r} needs a local installation: run `prorank ui` without PRORANK_API_URL")
        super().resume_job(job)

    def _read(self, path: str, read: Callable[[object], Read]) -> Read:
        return self._parsed(path, self._get(path), read)

    def _parsed(self, path: str, answer: object, read: Callable[[object], Read]) -> Read:
        try:
            return read(answer)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise self._calls.not_ours(path) from error

    def _get(self, path: str) -> object:
        with self._telling:
            at, answer = self._told.get(path, (-_FRESH_S, None))
        if time.monotonic() - at < _FRESH_S:
            return answer
        answer = self._calls.get(path)
        with self._telling:
            self._told[path] = (time.monotonic(), answer)
        return answer


def open_service(settings: Settings, asking: Asking) -> ServiceClient:
    """Return the client of the service at the settings' `api_url`.

    Raises:
        ConfigError: There is none, or it is one that must not be asked.
    """
    if settings.api_url is None:
        raise ConfigError("there is no service to ask: set PRORANK_API_URL to the address of a `prorank serve`")
    key = settings.api_key
    calls = ServiceCalls(settings.api_url, None if key is None else key.get_secret_value(), settings.api_timeout_s)
    return ServiceClient(settings, asking, calls)


def search_body(choice: Choice) -> dict[str, object]:
    """Return what `/v1/search` is sent; what was not chosen is left to the service.

    Example:
        >>> search_body(Choice("fox", "animals"))
        {'index': 'animals', 'query': 'fox', 'top_k': 100, 'rescore': False}
    """
    side = choice.side
    body: dict[str, object] = {"index": choice.index, "query": choice.query, "top_k": choice.top_k}
    if not side.rescorer:
        return body | {"rescore": False}
    blend = blend_of(side.blend)
    chosen = {
        "model": side.model or None,
        "window_size": int(side.window) if side.window.isdecimal() else None,
        "instruction": side.instruction or None,
        "blend": None if blend is None else asdict(blend),
    }
    return body | {"whole_window": True} | {key: value for key, value in chosen.items() if value is not None}


def _first_stage_in(result: SearchResult, query: Query) -> Ranking:
    return Ranking(query, tuple(Hit(hit.document, hit.first_stage_score) for hit in result.hits))
