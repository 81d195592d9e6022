"""`POST /v1/search` and `GET /v1/indexes`: our own searches over HTTP, as the library and the command do them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal, Self, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field, model_validator

from prorank_search.errors import AuthError, BackendError, InputError, NotReadyError, OverloadedError, RescorerError
from prorank_search.profiles import Profile, load_profiles
from prorank_search.protocols import IndexBackend, Rescorer
from prorank_search.search import load_backend, search
from prorank_search.serving.answers import check_characters
from prorank_search.serving.metrics import Metrics
from prorank_search.serving.model_sources import model_of, settings_of
from prorank_search.serving.respond import HUNG_UP, Asking, respond
from prorank_search.serving.service import Service
from prorank_search.serving.shapes import answered, score
from prorank_search.serving.shapes.shape import Body, readable, validated
from prorank_search.serving.waiting import while_somebody_waits
from prorank_search.settings import Settings
from prorank_search.types import Blend, Normalize, ScoreMode, SearchResult

_THREADS = 16
"""Searches at a time; each waits for the engine, then for the model."""

_MOST_IN_LINE = 64
"""Searches that may wait for one of those threads."""

_LEAST_S = 0.001
"""What is left of a deadline that passed in line: the engine's order comes back, marked so."""

_OK = 200

Result = TypeVar("Result")


class BlendBody(Body):
    """How both scores become one: a profile's `blend`."""

    model_config = ConfigDict(extra="forbid")

    score_mode: ScoreMode = "replace"
    normalize: Normalize = "none"
    query_weight: float = 1.0
    rescore_query_weight: float = 1.0

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        self.blend()
        return self

    def blend(self) -> Blend:
        """Return the blend."""
        return Blend(**self.model_dump())


class SearchBody(Body):
    """What `/v1/search` reads; what is left out, the index's profile and the settings say."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"index": "books", "query": "how fast is a fox", "top_k": 3}]}
    )

    index: str = Field(description="Name of the index.")
    query: str = Field(description="What to search for: plain text, never query syntax.")
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="Hits returned.")
    window_size: Annotated[int, Field(ge=0, le=1000)] | Literal["auto"] | None = Field(
        None, description="First-stage hits that are rescored."
    )
    timeout_s: Annotated[float, Field(gt=0, le=3600)] | None = Field(
        None, description="Seconds; what is not scored by then keeps the first stage's order."
    )
    model: str | None = Field(None, description="One of /v1/models.")
    instruction: str | None = Field(None, description="What counts as relevant, where the model takes such a thing.")
    blend: BlendBody | None = Field(None, description="How both scores become one.")
    rescore: bool = Field(default=True, description="False: the first stage alone.")
    whole_window: bool = Field(default=False, description="Return every hit that was rescored.")


class Searches:
    """Searches the indexes of one backend in threads of its own.

    Args:
        service: Its models, and its line.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._profiles = load_profiles(service.settings.config)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prorank-search")
        self._begun = 0
        self._opening = threading.Lock()
        self._backend: IndexBackend | None = None

    async def indexes(self) -> list[dict[str, Any]]:
        """List the indexes, as `prorank index list --json` does."""
        return await self._in_thread(lambda: [asdict(index) for index in self._open().indexes()])

    async def search(self, body: SearchBody, cancelled: Callable[[], bool]) -> SearchResult:
        """Search.

        Raises:
            TooLargeError: The query is longer than `max_text_chars`.
            InputError: The query is empty, the index does not exist, or the model is unknown.
            OverloadedError: Too many searches wait already.
            BackendError: The engine failed.
        """
        began = time.monotonic()
        check_characters([body.query], self._service.settings)
        return await self._in_thread(lambda: self._search(body, began, cancelled))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._begun >= _THREADS + _MOST_IN_LINE:
            raise OverloadedError(f"{self._begun} searches are in line: try again later")
        self._begun += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(work))
        except AuthError as error:
            raise BackendError(f"the engine refuses this service: {error}") from error
        finally:
            self._begun -= 1

    def _search(self, body: SearchBody, began: float, cancelled: Callable[[], bool]) -> SearchResult:
        if not body.query.strip():
            raise InputError("the query is empty: send at least one word")
        profile = self._profiles.get(body.index, Profile())
        own = settings_of(self._service.settings, profile)
        timeout_s = body.timeout_s or own.timeout_s

        def ask(rescorer: Rescorer | None) -> SearchResult:
            return search(
                readable(body.query),
                index=body.index,
                backend=self._open(),
                rescorer=rescorer,
                top_k=body.top_k or own.top_k,
                window_size=_window_size(body, own),
                timeout_s=None if timeout_s is None else max(_LEAST_S, began + timeout_s - time.monotonic()),
                profile=_asked_for(body, profile),
                whole_window=body.whole_window,
                cancelled=cancelled,
            )

        if not body.rescore:
            return ask(None)
        deadline = None if timeout_s is None else began + timeout_s
        try:
            with self._service.second_stage(body.model or model_of(self._service.settings, profile), deadline) as stage:
                return ask(stage)
        except (NotReadyError, RescorerError) as error:
            if profile.on_failure == "error":
                raise
            result = ask(None)
            return replace(result, status=replace(result.status, state="degraded", reason=str(error)))

    def _open(self) -> IndexBackend:
        with self._opening:
            if self._backend is None:
                self._backend = load_backend(self._service.settings)
            return self._backend


def router(service: Service, metrics: Metrics) -> APIRouter:
    """Return the routes.

    Raises:
        ConfigError: The profiles of the settings file cannot be used.
    """
    routes, searches = APIRouter(), Searches(service)
    reference = {"application/json": {"schema": {"$ref": f"#/components/schemas/{SearchBody.__name__}"}}}

    @routes.post(
        "/v1/search",
        summary="Search an index: the first stage, then the second",
        operation_id="v1_search",
        responses=_responses(200, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503),
        openapi_extra={"requestBody": {"required": True, "content": reference}},
    )
    async def v1_search(request: Request) -> Response:
        async def answer(asking: Asking) -> Response:
            body = validated(SearchBody, await asking.body(service.settings))
            result = await while_somebody_waits(request, lambda gone: searches.search(body, gone))
            if result is None:
                return Response(status_code=HUNG_UP)
            written = await asyncio.to_thread(JSONResponse, result.to_json())
            written.headers["X-ProRank-Status"] = result.status.state
            return written

        return await respond(Asking(request, "search", score.fault), metrics, answer)

    @routes.get(
        "/v1/indexes",
        summary="The indexes that can be searched",
        operation_id="v1_indexes",
        responses=_responses(200, 401, 403, 429, 500, 502),
    )
    async def v1_indexes(request: Request) -> Response:
        async def answer(_: Asking) -> Response:
            return JSONResponse({"indexes": await searches.indexes()})

        return await respond(Asking(request, "indexes", score.fault), metrics, answer)

    return routes


def _responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": dict[str, Any] if status == _OK else answered.ErrorFault} for status in statuses}


def _asked_for(body: SearchBody, profile: Profile) -> Profile:
    instruction = profile.instruction if body.instruction is None else readable(body.instruction)
    blend = profile.blend if body.blend is None else body.blend.blend()
    return replace(profile, instruction=instruction, blend=blend)


def _window_size(body: SearchBody, settings: Settings) -> int | None:
    window_size = settings.window_size if body.window_size is None else body.window_size
    return None if window_size == "auto" else window_size
