"""An engine behind the gateway that is a server: one or several nodes over HTTP, connections kept open."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from urllib.parse import quote

import httpx

from prorank_search.backends.engines import credentials
from prorank_search.backends.engines.connection import nodes
from prorank_search.backends.engines.faults import unreachable
from prorank_search.errors import AnswerTooLargeError, ConfigError
from prorank_search.serving.upstream import EngineAnswer, EngineRequest
from prorank_search.settings import Settings

_CONNECTIONS = 200
"""To all nodes together; as many requests wait for the engine at a time."""

_KEPT = 50
"""Connections that stay open between requests."""

_CONNECT_S = 5.0
"""To reach a node, before the next one is tried."""

_HEADERS = "latin-1"
"""How bytes of a header become text, and the same bytes again, whatever they mean."""

_PATH = "/%!$&'()*+,;=:@~"
"""What stays as it is in a path beside letters and digits: no `#` and no `?`, which would end it."""

_OF_ONE_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "content-length", "content-encoding", "date"}
)
"""Headers of an answer that say how its bytes came here, not what it is."""


class HttpUpstream:
    """Sends requests to a server.

    Args:
        settings: Address, certificates and time; the only place that names where requests go. Who asks is in the
            request's own headers.

    Raises:
        ConfigError: The address or the certificates cannot be used, requests would have to be signed, or every caller
            would come with the service's certificate.
    """

    def __init__(self, settings: Settings) -> None:
        credentials.check(settings)
        if settings.engine_aws_region is not None:
            raise ConfigError("engine_aws_region: the gateway does not sign requests; let its clients sign theirs")
        if settings.engine_client_cert is not None and settings.gateway_account == "caller":
            raise ConfigError(
                "engine_client_cert: an engine that knows users by certificates would take every caller of the gateway "
                "for the service; say gateway_account = 'service' where they may do what it may, or leave it out"
            )
        self._nodes = nodes(settings)
        self._first = itertools.cycle(range(len(self._nodes)))
        self._timeout_s, self._attempts = settings.engine_timeout_s, settings.engine_attempts
        self._most_mb = settings.max_answer_mb
        self._client = httpx.AsyncClient(
            verify=_certificates(settings),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_KEPT),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, request: EngineRequest) -> EngineAnswer:
        """Return the answer of the first node that gives one.

        A node that cannot be reached is left for the next one. A connection that is lost in the middle is tried again
        only where the request reads.

        Raises:
            UnreachableError: There was none.
            AnswerTooLargeError: It is longer than `max_answer_mb`; the rest is not read.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._first_answer(request)
        except TimeoutError as error:
            raise unreachable(self._nodes, "time is over", timed_out_s=self._timeout_s) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _first_answer(self, request: EngineRequest) -> EngineAnswer:
        first, reason = next(self._first), ""
        for attempt in range(max(self._attempts, len(self._nodes))):
            try:
                return await self._once(self._nodes[(first + attempt) % len(self._nodes)], request)
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
                if not (request.reads or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)):
                    break
        raise unreachable(self._nodes, reason)

    async def _once(self, node: str, request: EngineRequest) -> EngineAnswer:
        path = quote(request.raw_path, safe=_PATH) if request.raw_path else quote(request.path)
        answer = await self._client.send(
            httpx.Request(
                request.method,
                f"{node}{path}{'?' if request.query else ''}{request.query}",
                # the engine is near: packing takes longer
                headers=httpx.Headers({**request.headers, "accept-encoding": "identity"}, encoding=_HEADERS),
                content=request.body or None,
                extensions={"timeout": {"connect": _CONNECT_S}},
            ),
            stream=True,
        )
        try:
            body = await self._read(answer)
        finally:
            await answer.aclose()
        answer.headers.encoding = _HEADERS
        named = {name.strip().lower() for name in answer.headers.get("connection", "").split(",")}
        kept = {name: value for name, value in answer.headers.items() if name not in _OF_ONE_CONNECTION | named}
        return EngineAnswer(answer.status_code, kept, body)

    async def _read(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > self._most_mb << 20:
                raise AnswerTooLargeError(
                    f"the engine's answer has more than {self._most_mb} MB: ask for fewer hits, or for less of each "
                    "with _source, or set max_answer_mb"
                )
        return bytes(body)


def _certificates(settings: Settings) -> ssl.SSLContext:
    files = credentials.certificates(settings)
    try:
        context = ssl.create_default_context(cafile=files.get("ca_certs"))
        if "client_cert" in files:
            context.load_cert_chain(files["client_cert"], files.get("client_key"))
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"the engine's certificates {', '.join(files.values())} cannot be used: {error}") from error
    return context
