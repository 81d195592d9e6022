"""What stands behind the gateway: a request as a client sent it, the engine's own answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """A request to an engine.

    Attributes:
        method: "GET", "POST"...
        path: Decoded, from the engine's root: "/books/_search".
        query: The query string as it came, without "?".
        headers: Names in lower case; what belongs to one connection only (Host, Content-Length...) is left out.
        body: As it came.
        raw_path: The path as it came, with its escapes; empty: `path`, escaped anew.
        reads: Whether it may be sent twice.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw_path: str = ""
    reads: bool = False


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """An engine's answer, its faults included: a status of 404 is an answer, not an error.

    Attributes:
        status: HTTP status.
        headers: Names in lower case; what belongs to one connection only is left out.
        body: As it came, with its content encoding undone.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Upstream(Protocol):
    """An engine behind the gateway: a server over HTTP, or the embedded index, which answers as one."""

    async def send(self, request: EngineRequest) -> EngineAnswer:
        """Return the engine's answer.

        Raises:
            BackendError: There was none: the engine cannot be reached, or did not answer in time; or it is too long.
        """
        ...

    async def close(self) -> None:
        """Let its connections go."""
        ...
