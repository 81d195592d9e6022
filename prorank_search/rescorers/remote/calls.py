"""HTTP calls that end when nobody waits for them any longer, and are tried again where that may help."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import threading
import weakref
from collections.abc import Coroutine, Mapping
from concurrent.futures import CancelledError, wait
from itertools import count
from typing import Any, TypeVar

import httpx

from prorank_search.errors import OverloadedError, RescorerError
from prorank_search.scoring.deadline import is_over
from prorank_search.types import ScoreRequest

_LOG = logging.getLogger(__name__)

_TRIED_AGAIN = frozenset({429, 502, 503, 504})
_ATTEMPTS = 4
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_LONGEST_WAIT_S = 60.0
"""A server that says to come back later than that is not waited for, though there is no deadline."""

_LOOK_S = 0.05
"""How often a call that runs is asked whether anybody still waits for it."""

_TIMEOUT = httpx.Timeout(600.0, connect=5.0)
_QUOTED = frozenset({401, 403, 404, 413, 429, 503})
"""Statuses whose faults are about key, name or load; others may repeat a document, and are not quoted."""

_LONGEST_QUOTE = 200

Result = TypeVar("Result")


class TooManyTextsError(RescorerError):
    """A server does not take as many texts, or as much text, in one request."""


class Calls:
    """A pool of connections to one server, driven by a thread of its own. Safe from many threads.

    Args:
        shown: The server's address, for messages.
        api_key: Sent as a bearer token; None: none is.
    """

    def __init__(self, shown: str, api_key: str | None) -> None:
        headers = {"Content-Type": "application/json"}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        self._shown = shown
        self._client = httpx.AsyncClient(headers=headers, timeout=_TIMEOUT)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_drive, args=(self._loop,), name="prorank-remote", daemon=True).start()
        self._stop = weakref.finalize(self, _stop, self._loop, self._client)
        self._stop.atexit = False

    def run(self, call: Coroutine[Any, Any, Result], request: ScoreRequest) -> Result | None:
        """Run one of the calls below; None once the request is over, whose connection is closed then.

        Raises:
            RescorerError: The connections were closed.
        """
        if not self._stop.alive:
            call.close()
            raise self._closed()
        try:
            future = asyncio.run_coroutine_threadsafe(call, self._loop)
        except RuntimeError as error:  # closed this very moment
            call.close()
            raise self._closed() from error
        try:
            while not future.done():
                wait([future], timeout=_LOOK_S)
                if not future.done() and is_over(request):
                    return None
                if not future.done() and not self._stop.alive:
                    raise self._closed()
            return future.result()
        except CancelledError as error:
            raise self._closed() from error
        finally:
            if not self._loop.is_closed():
                future.cancel()

    async def get(self, url: str, seconds: float) -> object | None:
        """Return the JSON that lies at an address; nothing where there is none, None where nobody answers."""
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.get(url)
            return response.json() if response.is_success else {}
        except httpx.TransportError:
            return None
        except (TimeoutError, ValueError, httpx.RequestError):
            return {}

    async def post(self, url: str, body: Mapping[str, object], seconds: float | None) -> object:
        """Send a body, and return the JSON that comes back.

        Args:
            url: Where to.
            body: What.
            seconds: How long anybody waits; None: as long as it takes.

        Raises:
            TooManyTextsError: The server takes less at once.
            OverloadedError: It has too much to do, and says to come back when nobody waits any longer.
            RescorerError: It cannot be reached, refuses the key, or failed.
        """
        content = json.dumps(body).encode()
        give_up = None if seconds is None else self._loop.time() + seconds
        for attempt in count(1):
            try:
                response = await self._client.post(url, content=content)
            except httpx.RequestError as error:
                failure = RescorerError(f"{self._shown} cannot be asked: {type(error).__name__}: {error}")
                failure.__cause__ = error
                pause = _pause(attempt)
            else:
                if response.is_success:
                    return _json(response, self._shown)
                failure = _failure(response, self._shown)
                if response.status_code not in _TRIED_AGAIN:
                    raise failure
                pause = max(_pause(attempt), _retry_after(response))
            is_late = pause > _LONGEST_WAIT_S if give_up is None else self._loop.time() + pause >= give_up
            if attempt == _ATTEMPTS or is_late:
                raise failure
            _LOG.info("%s: trying again in %.1f s (%s)", self._shown, pause, failure)
            await asyncio.sleep(pause)
        raise AssertionError

    def close(self) -> None:
        """Close the connections and end the thread; calls that run fail."""
        self._stop()

    def _closed(self) -> RescorerError:
        return RescorerError(f"{self._shown} is asked no more: its rescorer is closed")


def _drive(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped; what still runs then is cancelled."""

    async def end() -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    loop.run_forever()
    loop.run_until_complete(end())
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> None:
    async def close() -> None:
        await client.aclose()
        loop.stop()

    asyncio.run_coroutine_threadsafe(close(), loop)


def _pause(attempt: int) -> float:
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (attempt - 1))
    return random.uniform(longest / 2, longest)


def _retry_after(response: httpx.Response) -> float:
    told = response.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else 0.0


def _json(response: httpx.Response, shown: str) -> object:
    try:
        answer: object = response.json()
    except ValueError as error:
        raise RescorerError(f"{shown} answered with something that is no JSON: see remote_url") from error
    return answer


def _failure(response: httpx.Response, shown: str) -> RescorerError:
    status = response.status_code
    quote = _quote(response) if status in _QUOTED else ""
    message = f"{shown} answered {status}{': ' if quote else ''}{quote}"
    if status in {401, 403}:
        return RescorerError(f"{message}; set PRORANK_REMOTE_API_KEY to a key that it takes")
    if status in {413, 422}:
        return TooManyTextsError(f"{message}; the texts, or what stands with them, are refused")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return OverloadedError(message, retry_after_s=max(1.0, _retry_after(response)))
    return RescorerError(message)


def _quote(response: httpx.Response) -> str:
    """Return what a fault says, in whichever of the shapes' words."""
    try:
        fault = response.json()
    except ValueError:
        return ""
    if not isinstance(fault, dict):
        return ""
    error = fault.get("error")
    inner = error.get("message") if isinstance(error, dict) else error
    said = next((text for text in (fault.get("message"), fault.get("detail"), inner) if isinstance(text, str)), "")
    return " ".join(said[:_LONGEST_QUOTE].split())
