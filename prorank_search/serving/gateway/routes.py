"""The gateway's paths: all that the service does not answer itself, and the admin's look at the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from prorank_search.backends.engines import credentials
from prorank_search.errors import InputError
from prorank_search.profiles import load_profiles
from prorank_search.serving.access import is_ours
from prorank_search.serving.gateway import admin, msearch
from prorank_search.serving.gateway.counts import Counts
from prorank_search.serving.gateway.exchange import Exchange, Incoming, json_text, length_of, searched
from prorank_search.serving.gateway.faults import fault_answer, not_listed
from prorank_search.serving.gateway.pages import Pages, key_of
from prorank_search.serving.gateway.passthrough import (
    ends_all,
    forwarded,
    is_read,
    is_repeatable,
    parts_of,
    who,
)
from prorank_search.serving.gateway.scoring import Scorer
from prorank_search.serving.gateway.search import SearchDesk
from prorank_search.serving.gateway.switch import Switch
from prorank_search.serving.metrics import Metrics
from prorank_search.serving.off_loop import off_loop
from prorank_search.serving.respond import HUNG_UP, read_body
from prorank_search.serving.service import Service
from prorank_search.serving.upstream import EngineAnswer, EngineRequest, Upstream
from prorank_search.serving.waiting import while_somebody_waits
from prorank_search.settings import Settings

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
_OF_A_SEARCH = 2
"""Parts of its path at most: an index, and what is asked of it."""


def router(service: Service, metrics: Metrics, upstream: Upstream) -> APIRouter:
    """Return the gateway's routes; they take what no other route takes, so they have to come last.

    Args:
        service: Scores.
        metrics: Where the gateway's counters go.
        upstream: The engine; it is closed when the application ends.
    """
    exchange = open_exchange(service, metrics, upstream)
    prefix = service.settings.gateway_prefix

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for task in list(exchange.shadows):
            task.cancel()
        await upstream.close()

    routes = APIRouter(lifespan=lifespan)
    routes.include_router(admin.router(exchange.desk))

    @routes.api_route(prefix or "/", methods=_METHODS, include_in_schema=False)
    @routes.api_route(f"{prefix}/{{path:path}}", methods=_METHODS, include_in_schema=False)
    async def gateway(request: Request) -> Response:
        if is_ours(request.scope["path"]):
            return _no_such_path(request)
        raw_path = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
        return await _respond(request, exchange, raw_path.removeprefix(prefix) or "/")

    return routes


def open_exchange(service: Service, metrics: Metrics, upstream: Upstream) -> Exchange:
    """Make the gateway of a service and an engine.

    Raises:
        ConfigError: The settings file's profiles cannot be used.
    """
    settings = service.settings
    scorer, pages, switch = Scorer(service), Pages(settings.gateway_order_ttl_s), Switch(on=settings.gateway_rescoring)
    counts = Counts(
        metrics.registry,
        rescoring=lambda: switch.on,
        open_breakers=lambda: sum(breaker.state != "closed" for breaker in scorer.breakers.values()),
        orders=lambda: len(pages),
    )
    return Exchange(SearchDesk(settings, load_profiles(settings.config), scorer, pages, switch, counts), upstream)


async def _respond(request: Request, exchange: Exchange, raw_path: str) -> Response:
    """Answer a request; whatever goes wrong becomes a fault in the engine's shape."""
    try:
        incoming = await _read(request, exchange.desk.settings, raw_path)
        answer = await while_somebody_waits(request, partial(_answer, exchange, incoming))
    except Exception as error:  # noqa: BLE001 (the one place that maps errors to HTTP)
        answer = fault_answer(error)
    if answer is None:
        return Response(status_code=HUNG_UP)
    return Response(answer.body, answer.status, dict(answer.headers))


async def _read(request: Request, settings: Settings, raw_path: str) -> Incoming:
    parts = parts_of(raw_path)
    query = request.scope["query_string"].decode("latin-1")
    if parts is None or "#" in query:
        raise InputError(
            "the address has empty parts, dots for parts, or a # or the like without its escape: write it plainly"
        )
    headers = forwarded({name.lower(): value for name, value in request.headers.items()})
    state: dict[str, Any] = request.scope.get("state", {})
    said = who(headers)
    caller = key_of({"engine": said, "key": state.get("caller")})
    if settings.gateway_account == "service":
        headers = _of_the_service(headers, said, settings)
    ready = EngineRequest(
        request.method,
        "/" + "/".join(parts),
        query,
        headers,
        await read_body(request, settings),
        raw_path,
        is_read(request.method, parts) and is_repeatable(parts),
    )
    return Incoming(ready, tuple(parts), caller)


def _of_the_service(headers: dict[str, str], said: dict[str, str], settings: Settings) -> dict[str, str]:
    """Return a caller's headers with the service's account, where the caller brings none.

    Beside the service's certificate no other header says who asks: the engine may take it for the account.
    """
    own = {name: value for name, value in said.items() if name == "authorization"}
    if own and settings.engine_client_cert is None:
        return headers
    return {name: headers[name] for name in headers.keys() - said} | (own or credentials.headers_of(settings))


async def _answer(exchange: Exchange, incoming: Incoming, cancelled: Callable[[], bool]) -> EngineAnswer:
    request = incoming.request
    if not await _may_pass(incoming, exchange.desk.settings):
        return not_listed()
    if request.method in ("GET", "POST") and len(incoming.parts) <= _OF_A_SEARCH:
        if incoming.parts[-1:] == ("_search",):
            return await searched(exchange, incoming, cancelled)
        if incoming.parts[-1:] == ("_msearch",):
            return await msearch.answered(exchange, incoming, cancelled)
    answer = await exchange.upstream.send(request)
    exchange.desk.counts.passed(answer.status)
    return answer


async def _may_pass(incoming: Incoming, settings: Settings) -> bool:
    request, parts = incoming.request, incoming.parts
    if settings.gateway_writes:
        return True
    if not is_read(request.method, parts):
        return False
    if request.method != "DELETE":
        return True

    def of_everybody() -> bool:
        return ends_all(parts, request.query, json_text(request, settings.max_body_mb << 20))

    return not await off_loop(length_of(request), of_everybody)


def _no_such_path(request: Request) -> Response:
    """Answer a request to a path of the service's own that no route takes."""
    allowed = request.app.openapi()["paths"].get(request.url.path)
    if allowed is None:
        return JSONResponse({"detail": "Not Found"}, 404)
    return JSONResponse({"detail": "Method Not Allowed"}, 405, {"Allow": ", ".join(allowed).upper()})
