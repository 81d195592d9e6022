"""A connected engine: one method that sends a request, tries again where that helps, and explains what went wrong.

    engine = connect(settings)                            # detection.py; the engine that answers at settings.url
    engine.name, engine.version                           # "opensearch", "2.19.1"
    engine.request("GET", path("handbook", "_count"))     # the answer's JSON
    engine.request("POST", "/_bulk", rows)                # a list is sent as one JSON a line, bytes as they are

Every failure is an error of `prorank_search.errors`: `AuthError` (401, 403), `IndexNotFoundError`, `EngineError` (any
other status; it has `status`, `error_type` and `reason`) or `UnreachableError` (no answer at all; `timed_out` where the
time was over). Who wants to try again in a way of their own passes `attempts=1`.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from prorank_search.backends.engines.faults import error_of
from prorank_search.errors import ConfigError, EngineError, UnreachableError
from prorank_search.outbound import check_url
from prorank_search.settings import Settings

EngineName = Literal["opensearch", "elasticsearch"]
Body = Mapping[str, object] | Sequence[Mapping[str, object] | bytes] | bytes

RETRIED = (429, 502, 503, 504)
"""Statuses that another attempt may cure."""
BAD_GATEWAY = 502
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0
"""Between attempts that somebody waits for."""
DEFAULT_PORTS = {"http": 9200, "https": 443}

_log = logging.getLogger(__name__)


class Reply(NamedTuple):
    """What a server answered: its status, and the body as JSON (or text, where it is none)."""

    status: int
    body: Any


class Client(Protocol):
    """What opensearch-py and elasticsearch-py are used for: one attempt to send one request."""

    def send(self, request: Request) -> Reply:
        """Send the request once, to one of the nodes.

        Raises:
            UnreachableError: No answer came.
        """
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to send.

    Attributes:
        method: GET, POST, PUT or DELETE.
        path: Escaped, from the slash on.
        params: Query parameters.
        body: As it goes over the wire; None: none.
        content_type: Of the body.
        timeout_s: Seconds to wait for the answer.
    """

    method: str
    path: str
    params: Mapping[str, str]
    body: bytes | None
    content_type: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Engine:
    """A connected engine. Safe from many threads.

    Attributes:
        name: Which of the two it is.
        version: As the server says it ("2.19.1"); empty where this user may not ask.
        where: The address, for messages; holds no secret.
        client: Sends one request once.
        timeout_s: Seconds to wait for an answer, unless a request says otherwise.
        attempts: How often a request is tried at most, unless it says otherwise.
    """

    name: EngineName
    version: str
    where: str
    client: Client
    timeout_s: float = 30.0
    attempts: int = 4

    def request(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        params: Mapping[str, object] | None = None,
        timeout_s: float | None = None,
        attempts: int | None = None,
    ) -> Any:  # noqa: ANN401 (JSON)
        """Send a request and return the answer's JSON.

        Lost connections and the statuses of `RETRIED` are tried again, after pauses that grow and are drawn at random.
        An answer that took too long is not: the server is working on it.

        Args:
            method: GET, POST, PUT or DELETE.
            path: See `path`.
            body: A mapping is sent as JSON, a list as JSON lines, bytes as JSON lines that are ready. A character that
                UTF-8 cannot express is sent as a question mark.
            params: Query parameters.
            timeout_s: Seconds to wait; None: the engine's.
            attempts: How often to try at most; None: the engine's.

        Raises:
            AuthError: 401 or 403.
            IndexNotFoundError: The index does not exist.
            EngineError: Any other status that is none of success.
            UnreachableError: No answer.
        """
        said = {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in (params or {}).items()
        }
        ready = Request(method, path, said, *_encoded(body), timeout_s or self.timeout_s)
        left = attempts or self.attempts
        failures = 0
        while True:
            left -= 1
            failures += 1
            try:
                return self._once(ready)
            except (EngineError, UnreachableError) as error:
                if not left or not _curable(error):
                    raise
                _log.info("%s %s: %s; %d attempts left", method, path, error, left)
            time.sleep(pause_s(failures))

    def _once(self, request: Request) -> Any:  # noqa: ANN401 (JSON)
        reply = self.client.send(request)
        done = reply.status < 300  # noqa: PLR2004 (the statuses of success)
        if done and not isinstance(reply.body, str):
            return reply.body
        status = BAD_GATEWAY if done else reply.status  # a text is a proxy's answer, or another server's
        raise error_of(status, reply.body, f"{request.method} {request.path}", self.where)


def path(*parts: str) -> str:
    """Return the path of a request, its parts escaped.

    Example:
        >>> path("my index", "_doc", "a/b")
        '/my%20index/_doc/a%2Fb'
    """
    return "/" + "/".join(quote(part, safe="_-.,*") for part in parts)


def pause_s(failures: int, longest_s: float = LONGEST_PAUSE_S) -> float:
    """Return the seconds to wait after so many failures in a row, drawn at random so that clients spread.

    Example:
        >>> 0.125 <= pause_s(1) <= 0.25, 4 <= pause_s(99) <= 8
        (True, True)
    """
    return random.uniform(0.5, 1) * min(longest_s, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16))


def nodes(settings: Settings) -> list[str]:
    """Return the addresses of `settings.url`, each with its port.

    Raises:
        ConfigError: There is none, or one cannot be used.

    Example:
        >>> nodes(Settings(url="http://localhost, https://10.0.0.7/os"))
        ['http://localhost:9200', 'https://10.0.0.7:443/os']
    """
    if settings.url is None:
        raise ConfigError(f"the backend {settings.backend!r} needs an address: give --url, PRORANK_URL or `url`")
    found = [_node(address.strip()) for address in settings.url.split(",")]
    for node in found:
        check_url(node, "the engine")
    return found


def lines(rows: Iterable[Mapping[str, object] | bytes]) -> bytes:
    r"""Return one JSON a line, as `_bulk` and `_msearch` take them.

    Example:
        >>> lines([{"index": {}}, b'{"title":"Ready"}'])
        b'{"index":{}}\n{"title":"Ready"}\n'
    """
    return b"".join((row if isinstance(row, bytes) else _json(row)) + b"\n" for row in rows)


def _node(address: str) -> str:
    split = urlsplit(address)
    try:
        port = split.port
    except ValueError as error:
        raise ConfigError(f"url {address!r}: {error}") from error
    if split.scheme not in DEFAULT_PORTS or not split.hostname:
        raise ConfigError(f"url {address!r} is no address: write http:// or https://, a host and a port")
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    return f"{split.scheme}://{host}:{port or DEFAULT_PORTS[split.scheme]}{split.path.rstrip('/')}"


def _encoded(body: Body | None) -> tuple[bytes | None, str]:
    if body is None:
        return None, "application/json"
    if isinstance(body, Mapping):
        return _json(body), "application/json"
    return body if isinstance(body, bytes) else lines(body), "application/x-ndjson"


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _curable(error: EngineError | UnreachableError) -> bool:
    if isinstance(error, UnreachableError):
        return not error.timed_out
    return error.status in RETRIED
