"""A connection whose client does not keep the service waiting for long."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from prorank_search.settings import Settings


class Connection(H11Protocol):
    """uvicorn's, which waits without end for headers that trickle, and for the rest of what it has answered already.

    Here both have to come in time, or the connection is closed. How long a body may take, `read_body` says; how long an
    idle connection is kept after an answer, uvicorn.

    Args:
        patience_s: Seconds that headers, or such a rest, may take.
        uvicorns: What uvicorn makes a connection with.
    """

    def __init__(self, *, patience_s: float, **uvicorns: Any) -> None:  # noqa: ANN401 (uvicorn's own)
        super().__init__(**uvicorns)
        self._patience_s = patience_s
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for headers."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and see what is still waited for."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _watch(self) -> None:
        between_requests, answered = self.conn.their_state is h11.IDLE, self.conn.our_state is h11.DONE
        if not (between_requests or answered):
            self._wait_no_longer()
        elif self._end is None:
            self._end = self.loop.call_later(self._patience_s, self.timeout_keep_alive_handler)

    def _wait_no_longer(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None


def connections(settings: Settings) -> type[asyncio.Protocol]:
    """Return what makes connections, as uvicorn's `http` takes it."""
    return cast("type[asyncio.Protocol]", partial(Connection, patience_s=settings.body_timeout_s))
