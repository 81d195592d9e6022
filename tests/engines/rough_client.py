"""A client that kills its own process before or after a named request: the points at which an ingest must survive."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass, field

from prorank_search.backends.engines.connection import Client, Reply, Request

POINTS = {
    "created": r"PUT /[^/_]+$",
    "settings noted": r"PUT /[^/]+/_mapping$",
    "settings": r"PUT /[^/]+/_settings$",
    "bulk": r"POST /[^/]+/_bulk$",
    "refresh": r"POST /[^/]+/_refresh$",
    "old passages": r"POST /[^/]+/_search$",
    "count": r"GET /[^/]+/_count$",
    "aliases": r"POST /_aliases$",
}
"""Requests of an ingest, by what they do."""


@dataclass
class RoughClient:
    """Passes requests on; see `prorank_search.backends.engines.connection.Client`.

    Attributes:
        inner: The real client.
        point: A key of `POINTS`; empty: no kill.
        nth: At which of these requests.
        after: Once it was answered, instead of before it is sent.
    """

    inner: Client
    point: str
    nth: int
    after: bool
    seen: list[str] = field(default_factory=list)

    def send(self, request: Request) -> Reply:
        """Send the request, unless this process dies first."""
        hit = bool(self.point) and re.match(POINTS[self.point], f"{request.method} {request.path}") is not None
        if hit:
            self.seen.append(request.path)
        dies = hit and len(self.seen) == self.nth
        if dies and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        reply = self.inner.send(request)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return reply
