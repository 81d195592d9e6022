"""Who is let in: the one place where keys are asked for, and where the service may be reached from."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from prorank_search.errors import AuthError, ConfigError
from prorank_search.listening import name_in
from prorank_search.serving.faults import Fault, engine_fault_body, fault_of
from prorank_search.serving.gateway.passthrough import RESERVED
from prorank_search.serving.keys import KeyRing
from prorank_search.serving.respond import WriteFault
from prorank_search.serving.shapes import score
from prorank_search.serving.shapes.shape import Json
from prorank_search.settings import Settings

_OPEN = ("/health", "/ready")
_METRICS = "/metrics"
_ADMIN, _LOOKING = "/_prorank", ("GET", "HEAD")
_KEY, _AUTHORIZATION = "x-prorank-key", "authorization"
_WAY = {True: "Authorization: Bearer KEY", False: "X-ProRank-Key: KEY"}
"""How a key is sent to the service's own paths, and to the gateway, where Authorization belongs to the engine."""

_UNAUTHORIZED, _SCHEME = 401, {True: "Bearer", False: "X-ProRank-Key"}
"""The status that asks for a key, and the header's word for how."""


def check_reach(settings: Settings, keys: KeyRing) -> None:
    """See that others can reach the service only with a key, and that nobody reads it on the way.

    Raises:
        ConfigError: They could without.
    """
    host = settings.host
    if is_loopback(host):
        return
    if settings.keys == "off":
        raise ConfigError(f"refused to listen at {host!r} with keys = 'off': only this machine may ask without a key")
    if not keys.usable():
        raise ConfigError(
            f"refused to listen at {host!r}: others may ask only with a key, and there is none; "
            "make one with `prorank keys create NAME`, or keep 127.0.0.1"
        )
    if settings.tls_cert is None and not settings.behind_proxy:
        raise ConfigError(
            f"refused to listen at {host!r} without encryption: keys and texts could be read on the way; give "
            "--tls-cert and --tls-key, or say --behind-proxy where a proxy encrypts or the network is yours alone"
        )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Access:
    """Lets in who has a key, where one is asked for; `scope["state"]["caller"]` is its name then.

    Keys are asked for unless the service listens on loopback and nobody ever made one (or `keys` is `off`). Without
    keys a request has to name this machine as its Host, so that no web page in a browser on it can ask by way of a
    name that points here. What is behind never sees the key.

    Args:
        app: What answers.
        settings: Where it listens.
        keys: The keys.
        faults: How each path of ours writes its faults.
        refused: Told the status of each refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        keys: KeyRing,
        faults: Mapping[str, WriteFault],
        refused: Callable[[int], object],
    ) -> None:
        self._app, self._keys, self._faults, self._refused = app, keys, faults, refused
        self._loopback, self._off = is_loopback(settings.host), settings.keys == "off"
        self._any_host = settings.behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, headers = scope["path"], Headers(scope=scope)
        if path not in _OPEN:
            try:
                refusal = self._let_in(scope, headers, ours=is_ours(path))
            except AuthError as error:
                refusal = fault_of(error)
            if refusal is not None:
                self._refused(refusal.status)
                status, content = self._fault_of(path)(refusal)
                challenge = {"WWW-Authenticate": _SCHEME[is_ours(path)]} if status == _UNAUTHORIZED else None
                await JSONResponse(content, status, challenge)(scope, receive, send)
                return
        await self._app(_without_key(scope, ours=is_ours(path)), receive, send)

    def _let_in(self, scope: Scope, headers: Headers, *, ours: bool) -> Fault | None:
        """Return why not; None: the request is let in."""
        if self._off or (self._loopback and not self._keys.exist):
            if self._any_host:
                return None
            if not is_loopback(name_in(headers.get("host", ""))):
                return Fault(403, "the request names another machine as its Host: ask by 127.0.0.1 or localhost")
            origin = headers.get("origin", "http://localhost")
            if not is_loopback(name_in(origin.partition("://")[2])):
                return Fault(
                    403,
                    "a web page of another machine asks (Origin): make a key with `prorank keys create NAME`, or say "
                    "behind_proxy where a proxy of this machine leads here",
                )
        elif scope["path"] != _METRICS or not self._loopback or self._any_host:
            key = self._keys.check(_secret(headers, ours=ours))
            scope["state"]["caller"] = key.name
            if key.role != "admin" and _is_for_admins(scope):
                return Fault(
                    403, f"the key {key.name!r} is not an admin's: `prorank keys create NAME --role admin` makes one"
                )
        return None

    def _fault_of(self, path: str) -> WriteFault:
        return self._faults.get(path, score.fault if is_ours(path) else engine_fault)


def is_ours(path: str) -> bool:
    """Tell whether a path is the service's own, not the gateway's.

    Example:
        >>> is_ours("/v1/rerank"), is_ours("/metrics"), is_ours("/books/_search"), is_ours("/v1x/_search")
        (True, True, False, False)
    """
    return f"/{path.removeprefix('/').partition('/')[0]}" in RESERVED


def _is_for_admins(scope: Scope) -> bool:
    """Tell whether a request changes how the service answers others."""
    return scope["path"].startswith(f"{_ADMIN}/") and scope["method"] not in _LOOKING


def engine_fault(fault: Fault) -> tuple[int, Json]:
    """Write a fault as OpenSearch and Elasticsearch do."""
    return fault.status, engine_fault_body(fault.status, "security_exception", fault.message)


def _secret(headers: Headers, *, ours: bool) -> str:
    """Return the key that a request has.

    Raises:
        AuthError: It has none.
    """
    given = headers.get(_KEY)
    scheme, _, token = headers.get(_AUTHORIZATION, "").partition(" ")
    if given is None and ours and scheme.lower() == "bearer":
        given = token.strip()
    if not given:
        raise AuthError(f"a key is needed: send the header {_WAY[ours]}; `prorank keys create NAME` makes one")
    return given


def _without_key(scope: Scope, *, ours: bool) -> Scope:
    """Take the key out, in place: routes write into the scope what the log wants to know."""
    taken = {_KEY.encode(), *([_AUTHORIZATION.encode()] if ours else [])}
    scope["headers"] = [header for header in scope["headers"] if header[0] not in taken]
    return scope
