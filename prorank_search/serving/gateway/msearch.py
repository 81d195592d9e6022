"""Many searches in one request: those that ask for it are rescored, the others stay as the engine answers them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from prorank_search.errors import AnswerTooLargeError, ProRankError
from prorank_search.serving.gateway.exchange import (
    OK,
    STATUS_HEADER,
    Exchange,
    Incoming,
    as_asked,
    begin_shadow,
    json_text,
    length_of,
    sender,
    skipped,
    understood,
)
from prorank_search.serving.gateway.faults import EngineFaultError, told
from prorank_search.serving.gateway.json_spans import Edit, Span, edited, elements, members
from prorank_search.serving.gateway.reorder import UnreadableError
from prorank_search.serving.gateway.request import Search
from prorank_search.serving.gateway.search import Job, Left, SearchDesk, decided, finished
from prorank_search.serving.off_loop import off_loop
from prorank_search.serving.upstream import EngineAnswer

_CUTTING = ("filter_path", "format")
"""Parameters that leave nothing of an answer where hits could be moved in it."""
_OF_THE_SEARCH = ("rest_total_hits_as_int", "typed_keys", *_CUTTING)
"""Parameters of the request that each of its searches has."""


@dataclass(frozen=True, slots=True)
class Item:
    """One search of a request.

    Attributes:
        header: Its first line.
        search: Its second, as the engine is to have it.
        job: How it is rescored; None: it is not.
        left: Why it is not; None: it is, or it cannot be.
        error: Why it cannot be.
    """

    header: str
    search: Search
    job: Job | None = None
    left: Left | None = None
    error: ProRankError | None = None


async def answered(exchange: Exchange, incoming: Incoming, cancelled: Callable[[], bool]) -> EngineAnswer:
    """Answer `_msearch`.

    A search that asks for what cannot be done has a fault in its place, the others their answers, as the engines do.

    Raises:
        InputError: One asks for rescoring, and the request for an answer without what that takes.
        UnreachableError: The engine did not answer.
    """
    items = await off_loop(length_of(incoming.request), partial(_items, exchange.desk, incoming))
    if items is None or all(item.left is not None and not item.left.reason for item in items):
        return await exchange.upstream.send(incoming.request)
    if any(name in incoming.params for name in _CUTTING):
        return await _cut(exchange, incoming, items)
    try:
        return await _together(exchange, incoming, items, cancelled)
    except (AnswerTooLargeError, UnreadableError) as error:
        if all(item.job is None for item in items):
            raise
        items = [_as_asked(item, error) for item in items]
        return await _together(exchange, incoming, items, cancelled)


async def _together(
    exchange: Exchange, incoming: Incoming, items: list[Item], cancelled: Callable[[], bool]
) -> EngineAnswer:
    body = "".join(f"{item.header.strip() or '{}'}\n{item.search.text}\n" for item in items)
    headers = {name: value for name, value in incoming.request.headers.items() if name != "content-encoding"}
    request = replace(incoming.request, body=body.encode(errors="surrogateescape"), headers=headers, reads=True)
    answer = await exchange.upstream.send(request)
    if answer.status != OK:
        return answer
    try:
        return await _put_together(exchange, incoming, items, answer, cancelled)
    except UnreadableError:
        if any(item.job is not None for item in items):
            raise
        return replace(answer, headers={**answer.headers, STATUS_HEADER: "skipped"})


async def _cut(exchange: Exchange, incoming: Incoming, items: list[Item]) -> EngineAnswer:
    """Answer a request whose answer has no place for what we would say: a fault, or the engine's own."""
    for item in items:
        if item.error is not None:
            raise item.error
    return await exchange.upstream.send(incoming.request)


async def _put_together(
    exchange: Exchange, incoming: Incoming, items: list[Item], answer: EngineAnswer, cancelled: Callable[[], bool]
) -> EngineAnswer:
    text = answer.body.decode(errors="surrogateescape")
    spans = await asyncio.to_thread(_responses, text, len(items))
    work = [
        _answer_of(exchange, incoming, item, (text[span.start : span.end], _status(span)), cancelled)
        for item, span in zip(items, spans, strict=True)
    ]
    answers = await asyncio.gather(*work)
    edits = [Edit(span.start, span.end, new) for span, new in zip(spans, answers, strict=True)]
    return replace(answer, body=edited(text, edits).encode(errors="surrogateescape"))


def _responses(text: str, wanted: int) -> list[Span]:
    try:
        spans = elements(text, members(text)["responses"].start)
    except (ValueError, KeyError, RecursionError) as error:
        raise UnreadableError("this is not an answer to several searches") from error
    if len(spans) != wanted:
        raise UnreadableError("the engine answered another number of searches")
    return spans


def _items(desk: SearchDesk, incoming: Incoming) -> list[Item] | None:
    """Return the searches of a body; None where the engine has to say what is wrong with it."""
    text = json_text(incoming.request, desk.settings.max_body_mb << 20)
    if text is None:
        return None
    lines = text.split("\n")
    lines = lines[:-1] if not lines[-1].strip() else lines
    if len(lines) % 2:
        return None
    items = []
    for header, body in zip(lines[::2], lines[1::2], strict=True):
        search = _search(incoming, header, body)
        if search is None:
            return None
        items.append(_item(desk, incoming, header, search))
    return items


def _search(incoming: Incoming, header: str, body: str) -> Search | None:
    try:
        said = json.loads(header) if header.strip() else {}
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, Mapping):
        return None
    index = said.get("index") or said.get("indices") or incoming.index
    index = ",".join(map(str, index)) if isinstance(index, list) else str(index)
    params = {key: _param(value) for key, value in said.items() if key not in ("index", "indices")}
    of_url = incoming.params
    params |= {key: of_url[key] for key in _OF_THE_SEARCH if key in of_url}
    return understood(Search(index, body, params))


def _param(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _item(desk: SearchDesk, incoming: Incoming, header: str, search: Search) -> Item:
    try:
        decision = decided(desk, search, incoming.caller)
    except ProRankError as error:
        return Item(header, Search(search.index, '{"size":0}'), error=error)
    if isinstance(decision, Left):
        return Item(header, decision.search, left=decision)
    return Item(_preferring(header, decision), decision.search, job=decision)


def _preferring(header: str, job: Job) -> str:
    """Return a header with the copies of the shards that a search is to be answered from."""
    said = json.loads(header) if header.strip() else {}
    if "preference" in job.search.params:
        said.setdefault("preference", job.search.params["preference"])
    return json.dumps(said)


def _as_asked(item: Item, error: Exception) -> Item:
    if item.job is None:
        return item
    left = as_asked(item.job, error)
    return replace(item, search=left.search, job=None, left=left)


async def _answer_of(
    exchange: Exchange, incoming: Incoming, item: Item, answer: tuple[str, int], cancelled: Callable[[], bool]
) -> str:
    """Return what one search is answered with, of the engine's text and its status."""
    text, status = answer
    try:
        if item.error is not None:
            raise item.error
        if item.job is not None:
            return await _rescored(exchange, incoming, item.job, answer, cancelled)
    except ProRankError as error:
        _, body, _ = told(error)
        return json.dumps(body)
    except EngineFaultError as fault:
        return fault.answer.body.decode(errors="surrogateescape")
    if item.left is None or status != OK:
        return text
    if item.left.shadow is not None:
        begin_shadow(exchange, incoming, item.search, item.left.shadow)
    return await skipped(exchange, item.left, text)


async def _rescored(
    exchange: Exchange, incoming: Incoming, job: Job, answer: tuple[str, int], cancelled: Callable[[], bool]
) -> str:
    text, status = answer
    send = sender(exchange, incoming)
    if status != OK:
        left = as_asked(job, EngineFaultError(EngineAnswer(status, body=text.encode(errors="surrogateescape"))))
    else:
        try:
            return (await finished(exchange.desk, job, text, send, cancelled))[0]
        except UnreadableError as error:
            left = as_asked(job, error)
    return await skipped(exchange, left, await send(left.search))


def _status(span: Span) -> int:
    """Return the status of one search's answer."""
    said: Mapping[str, Any] = span.value if isinstance(span.value, Mapping) else {"error": "no answer"}
    status: int = said.get("status", 0) if "error" in said else OK
    return status
