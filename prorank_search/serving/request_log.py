"""Every request's id, and the one line that is logged of it. The outermost layer: nothing that fails gets past it."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prorank_search.serving.faults import fault_of
from prorank_search.serving.logs import REQUEST_ID, log_error

HEADER = b"x-request-id"
_SANE = re.compile(rb"[\w.:-]{1,64}")
_NOBODY = "-"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_LOG = logging.getLogger(__name__)


class RequestLog:
    """Gives each request an id, which its answer and its log lines carry; `scope["state"]["request_id"]` is it.

    The id is the client's own `X-Request-Id` where that is a plain word. The line has no path and no query string,
    since a client may write anything there: it names the route.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0
        request_id = _id_of(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        REQUEST_ID.set(request_id)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                others = [header for header in message.get("headers", ()) if header[0].lower() != HEADER]
                message = {**message, "headers": [*others, (HEADER, request_id.encode())]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:  # noqa: BLE001 (whatever it was, its words may hold a text: nobody else may log it)
            log_error(error)
            if not status:
                fault = fault_of(error)
                response = JSONResponse({"message": fault.message}, fault.status, fault.headers)
                await response(scope, receive, send_with_id)
        finally:
            _LOG.info("answered", extra={"fields": _line(scope, status, time.monotonic() - began)})


def _id_of(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return given.decode() if _SANE.fullmatch(given) else uuid.uuid4().hex


def _line(scope: Scope, status: int, seconds: float) -> dict[str, object]:
    state = scope["state"]
    return {
        "method": scope["method"] if scope["method"] in _METHODS else _NOBODY,
        "route": scope["route"].path if "route" in scope else _NOBODY,
        "shape": state.get("shape", _NOBODY),
        "status": status,
        "ms": round(1e3 * seconds, 1),
        "key": state.get("caller", _NOBODY),
    }
