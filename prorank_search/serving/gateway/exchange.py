"""Searches between their client and the engine: what is sent there, and which answer comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import parse_qsl, quote, urlencode

from prorank_search.errors import AnswerTooLargeError, ProRankError
from prorank_search.serving.gateway.faults import EngineFaultError
from prorank_search.serving.gateway.reorder import UnreadableError, with_block
from prorank_search.serving.gateway.request import RescorePlan, Search
from prorank_search.serving.gateway.search import (
    Job,
    Left,
    SearchDesk,
    Send,
    decided,
    finished,
    shadowed,
    status_block,
)
from prorank_search.serving.off_loop import off_loop
from prorank_search.serving.upstream import EngineAnswer, EngineRequest, Upstream
from prorank_search.serving.zipped import unzipped
from prorank_search.types import Status

_LOG = logging.getLogger(__name__)

OK = 200
STATUS_HEADER = "x-prorank-status"
_MOST_PACKED = 1032
"""Bytes that one byte of gzip may hold."""
_MOST_SHADOWS = 8
"""Searches that are rescored beside their answers at a time; further ones are not counted."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What answers the gateway's requests.

    Attributes:
        desk: What searches share.
        upstream: The engine.
        shadows: Searches that are being rescored beside their answers.
    """

    desk: SearchDesk
    upstream: Upstream
    shadows: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request of a client that was read.

    Attributes:
        request: As the engine would have it.
        parts: Its path's decoded parts.
        caller: Who asks: a hash, nothing that could be read.
    """

    request: EngineRequest
    parts: tuple[str, ...]
    caller: str

    @property
    def index(self) -> str:
        """The index of its path; empty: none."""
        return self.parts[0] if len(self.parts) > 1 else ""

    @property
    def params(self) -> dict[str, str]:
        """What stands behind its `?`."""
        return dict(parse_qsl(self.request.query, keep_blank_values=True))


async def searched(exchange: Exchange, incoming: Incoming, cancelled: Callable[[], bool]) -> EngineAnswer:
    """Answer `_search`.

    Raises:
        InputError: It asks for what cannot be done.
        UnreachableError: The engine did not answer.
        RescorerError: The rescorer failed, and the search says `on_failure: error`.
        AnswerTooLargeError: The answer with the whole window is, and the search says so.
        EngineFaultError: The engine refused the whole window, or its texts, and the search says so.
    """
    read = await off_loop(length_of(incoming.request), partial(_read, exchange.desk, incoming))
    if read is None:
        return await exchange.upstream.send(incoming.request)
    search, decision = read
    if isinstance(decision, Left):
        return await _left(exchange, incoming, search, decision)
    return await _rescored(exchange, incoming, search, decision, cancelled)


def _read(desk: SearchDesk, incoming: Incoming) -> tuple[Search, Left | Job] | None:
    """Return a search and what becomes of it; None: it passes as it came."""
    text = json_text(incoming.request, desk.settings.max_body_mb << 20)
    search = None if text is None else understood(Search(incoming.index, text or "{}", incoming.params))
    if search is None or "source" in search.params:
        return None
    return search, decided(desk, search, incoming.caller)


def sender(exchange: Exchange, incoming: Incoming) -> Send:
    """Return what sends searches as the caller of a request."""

    async def send(search: Search) -> str:
        answer = await exchange.upstream.send(request_of(incoming, search))
        if answer.status != OK:
            raise EngineFaultError(answer)
        return answer.body.decode(errors="surrogateescape")

    return send


def request_of(incoming: Incoming, search: Search) -> EngineRequest:
    """Return a search as a request of the same caller."""
    headers = {name: value for name, value in incoming.request.headers.items() if name != "content-encoding"}
    return EngineRequest(
        "POST",
        f"/{search.index}/_search" if search.index else "/_search",
        urlencode(search.params, quote_via=quote),
        headers if "json" in headers.get("content-type", "") else {**headers, "content-type": "application/json"},
        search.text.encode(errors="surrogateescape"),
        f"/{quote(search.index, safe=',*')}/_search" if search.index else "/_search",
        reads=True,
    )


def length_of(request: EngineRequest) -> int:
    """Return how many bytes a body has at most when it is unpacked."""
    packed = request.headers.get("content-encoding", "identity") != "identity"
    return len(request.body) * (_MOST_PACKED if packed else 1)


def json_text(request: EngineRequest, most: int) -> str | None:
    """Return the JSON text of a body; None where it is in another language, which the engine may understand.

    Raises:
        TooLargeError: It is larger than `most` when it is unpacked.
    """
    if request.body and "json" not in request.headers.get("content-type", ""):
        return None
    encoding = request.headers.get("content-encoding", "identity")
    try:
        body = unzipped(request.body, most) if encoding == "gzip" else request.body
        return body.decode() if encoding in ("gzip", "identity") else None
    except (UnicodeDecodeError, zlib.error, OSError, EOFError):
        return None


def understood(search: Search) -> Search | None:
    """Return a search; None where its body is not a JSON object, which is for the engine to say."""
    try:
        _ = search.members
    except (ValueError, RecursionError):
        return None
    return search


def begin_shadow(exchange: Exchange, incoming: Incoming, search: Search, plan: RescorePlan) -> None:
    """Rescore a search beside its answer, unless too many are already."""
    if len(exchange.shadows) >= _MOST_SHADOWS:
        exchange.desk.counts.searched("shadow", "dropped", {})
        return
    task = asyncio.create_task(_shadow(exchange, incoming, search, plan))
    exchange.shadows.add(task)
    task.add_done_callback(exchange.shadows.discard)


_WHATEVER_IS_ASKED = (401, 403, 404)
"""Of an engine's fault: for who asks, or where, so that no narrower search would fare better."""


def as_asked(job: Job, error: Exception) -> Left:
    """Return a search as its client sent it, for when the wider one failed, which that one need not do.

    Raises:
        Exception: The error itself, where the search says `on_failure: error` (an answer that cannot be read is none),
            or where the client's own search would meet it too: who asks, or what for, is not there or not allowed.
    """
    if job.plan.on_failure == "error" and not isinstance(error, UnreadableError):
        raise error
    if isinstance(error, EngineFaultError) and error.answer.status in _WHATEVER_IS_ASKED:
        raise error
    _LOG.warning("a search was answered as it was asked: that for the hits to rescore failed: %s", error)
    return Left(job.own, f"the search for the hits to rescore failed: {error}")


async def skipped(exchange: Exchange, left: Left, text: str) -> str:
    """Return an engine's answer with the status of a search that keeps its order; shadowed ones stay as they came."""
    if not left.reason or left.shadow is not None:
        return text
    exchange.desk.counts.searched(left.mode, "skipped", {})
    with contextlib.suppress(ValueError, RecursionError):
        return await asyncio.to_thread(with_block, text, status_block(Status("skipped", left.reason)))
    return text


async def _left(exchange: Exchange, incoming: Incoming, search: Search, left: Left) -> EngineAnswer:
    """Answer a search that keeps the engine's order: byte for byte, where nothing is to be said."""
    request = incoming.request if left.search is search else request_of(incoming, left.search)
    answer = await exchange.upstream.send(replace(request, reads=True))
    if not left.reason or answer.status != OK:
        return answer
    if left.shadow is not None:
        begin_shadow(exchange, incoming, left.search, left.shadow)
    status = "shadow" if left.shadow is not None else "skipped"
    body = await skipped(exchange, left, answer.body.decode(errors="surrogateescape"))
    headers = {**answer.headers, STATUS_HEADER: status}
    return replace(answer, headers=headers, body=body.encode(errors="surrogateescape"))


async def _rescored(
    exchange: Exchange, incoming: Incoming, search: Search, job: Job, cancelled: Callable[[], bool]
) -> EngineAnswer:
    try:
        return await _reordered(exchange, incoming, job, cancelled)
    except (AnswerTooLargeError, EngineFaultError, UnreadableError) as error:
        return await _left(exchange, incoming, search, as_asked(job, error))


async def _reordered(exchange: Exchange, incoming: Incoming, job: Job, cancelled: Callable[[], bool]) -> EngineAnswer:
    answer = await exchange.upstream.send(request_of(incoming, job.search))
    if answer.status != OK:
        raise EngineFaultError(answer)
    text = answer.body.decode(errors="surrogateescape")
    body, state = await finished(exchange.desk, job, text, sender(exchange, incoming), cancelled)
    headers = {**answer.headers, STATUS_HEADER: state}
    return replace(answer, headers=headers, body=body.encode(errors="surrogateescape"))


async def _shadow(exchange: Exchange, incoming: Incoming, search: Search, plan: RescorePlan) -> None:
    try:
        await shadowed(exchange.desk, search, plan, sender(exchange, incoming))
    except (ProRankError, EngineFaultError, UnreadableError) as error:
        _LOG.warning("a search could not be rescored beside its answer: %s", type(error).__name__)
        exchange.desk.counts.searched("shadow", "degraded", {})
