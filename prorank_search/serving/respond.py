"""A request of our own API from its first byte to its answer, and the one place that maps these errors to HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from prorank_search.errors import InputError, TooLargeError, TooSlowError
from prorank_search.serving import json_steps
from prorank_search.serving.faults import Fault, fault_of
from prorank_search.serving.logs import log_error
from prorank_search.serving.metrics import Metrics
from prorank_search.settings import Settings

HUNG_UP = 499
"""What metrics and logs call a request whose client did not wait."""

WriteFault = Callable[[Fault], tuple[int, dict[str, object]]]
"""Makes a fault into a shape's own status and body."""


@dataclass(slots=True)
class Asking:
    """A request while it is being answered.

    Attributes:
        request: It.
        shape: What metrics and logs call its shape.
        fault: How what goes wrong is told.
        began: `time.monotonic()` seconds of its last byte; as long as that has not come, of its first.
    """

    request: Request
    shape: str
    fault: WriteFault
    began: float = field(default_factory=time.monotonic)

    async def body(self, settings: Settings) -> object:
        """Read what it says.

        Raises:
            InputError: It is too large, too slow, or no JSON.
        """
        raw = await read_body(self.request, settings)
        self.began = time.monotonic()
        return await asyncio.to_thread(decoded, raw)


async def respond(asking: Asking, metrics: Metrics, answer: Callable[[Asking], Awaitable[Response]]) -> Response:
    """Return the answer, or what went wrong as a fault in the request's shape; count it either way."""
    try:
        response = await answer(asking)
    except Exception as error:  # noqa: BLE001 (the one place that maps these errors to HTTP)
        log_error(error)
        fault = fault_of(error)
        status, content = asking.fault(fault)
        response = JSONResponse(content, status, fault.headers)
    metrics.saw(asking.shape, response.status_code, time.monotonic() - asking.began)
    asking.request.state.shape = asking.shape
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
