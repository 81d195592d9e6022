"""A rerank request from its first byte to its answer, the same for every shape, and the one place that maps errors."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from prorank_search.errors import InputError, TooLargeError, TooSlowError
from prorank_search.serving import json_steps
from prorank_search.serving.faults import fault_of
from prorank_search.serving.logs import log_error
from prorank_search.serving.metrics import Metrics
from prorank_search.serving.service import Outcome, Service
from prorank_search.serving.shapes.shape import Shape
from prorank_search.serving.waiting import while_somebody_waits
from prorank_search.settings import Settings

HUNG_UP = 499
"""What metrics and logs call a request whose client did not wait."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a route answers with.

    Attributes:
        service: Scores.
        metrics: Count.
        shape: How faults are told as long as the body was not read.
        shape_of: Which shape a body has.
    """

    service: Service
    metrics: Metrics
    shape: Shape
    shape_of: Callable[[object], Shape]


async def respond(request: Request, endpoint: Endpoint) -> Response:
    """Answer a request in its shape; whatever goes wrong becomes the shape's own fault."""
    shape, began = endpoint.shape, time.monotonic()
    headers: dict[str, str] = {}
    try:
        raw = await read_body(request, endpoint.service.settings)
        began = time.monotonic()
        body = await asyncio.to_thread(decoded, raw)
        shape = endpoint.shape_of(body)
        asked = await asyncio.to_thread(shape.read, body)
        outcome = await while_somebody_waits(request, partial(endpoint.service.answer, asked))
        if outcome is None:
            response = Response(status_code=HUNG_UP)
        else:
            endpoint.metrics.answered(outcome.answers)
            headers |= {"X-ProRank-Status": _state(outcome)}
            written = await asyncio.to_thread(shape.write, asked, outcome, request.state.request_id)
            response = await asyncio.to_thread(JSONResponse, written)
    except Exception as error:  # noqa: BLE001 (the one place that maps errors to HTTP)
        log_error(error)
        fault = fault_of(error)
        status, content = shape.fault(fault)
        headers |= fault.headers
        response = JSONResponse(content, status)
    seconds = time.monotonic() - began
    response.headers.update(headers)
    endpoint.metrics.saw(shape.name, response.status_code, seconds)
    request.state.shape = shape.name
    return response


async def read_body(request: Request, settings: Settings) -> bytes:
    """Read a body.

    Raises:
        TooLargeError: It has more than `max_body_mb`; the rest is not read.
        TooSlowError: It did not arrive within `body_timeout_s`.
    """
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return await _received(request, settings.max_body_mb << 20)
    except TimeoutError as error:
        raise TooSlowError(
            f"the body did not arrive within {settings.body_timeout_s:g} s: send it faster, or set body_timeout_s"
        ) from error


async def _received(request: Request, most: int) -> bytes:
    told = request.headers.get("content-length", "")
    parts: list[bytes] = []
    size = int(told) if told.isdecimal() else 0
    if size <= most:
        size = 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > most:
                break
    if size > most:
        raise TooLargeError(f"the body has more than {most} bytes: send fewer documents, or set max_body_mb")
    return b"".join(parts)


def decoded(raw: bytes) -> object:
    """Return what a body says.

    Raises:
        InputError: It is not JSON.
    """
    try:
        body: object = json_steps.loads(raw.decode(json.detect_encoding(raw), "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise InputError("invalid request: the body is not JSON") from error
    return body


def _state(outcome: Outcome) -> str:
    return "ok" if all(answer.status.state == "ok" for answer in outcome.answers) else "partial"
