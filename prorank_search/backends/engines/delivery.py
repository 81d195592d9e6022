"""Documents on their way: bulk requests, sent until the engine has said of each document what became of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prorank_search.backends.engines.bulk import ChunkSize, Refusal, Row, body_of, cut, judge, too_large
from prorank_search.backends.engines.connection import Engine, path, pause_s
from prorank_search.errors import BackendError, EngineError, UnreachableError

GIVE_UP_S = 150.0
"""Seconds without one document settled after which a run ends; a server restarts in less."""

_LONGEST_PAUSE_S = 15.0
_ANSWER = {"filter_path": "errors,items.*.status,items.*.error"}
_BAD_REQUEST, _TOO_LARGE, _TOO_MANY = 400, 413, 429

_log = logging.getLogger(__name__)


class Pace:
    """How much is sent at once: one for all threads that write into an index."""

    def __init__(self, largest: ChunkSize) -> None:
        """Begin with the largest size."""
        self._largest = self._size = largest
        self._lock = threading.Lock()

    @property
    def size(self) -> ChunkSize:
        """The present size."""
        return self._size

    def shrink(self) -> None:
        """Halve it: the server has too much to do."""
        with self._lock:
            self._size = self._size.halved()
            _log.info("bulk requests halve to %d documents", self._size.documents)

    def grow(self) -> None:
        """Let it grow back a little: a request went well."""
        if self._size != self._largest:
            with self._lock:
                self._size = self._size.grown(self._largest)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of one request.

    Attributes:
        settled: Documents that are in, or never will be.
        refused: Those that never will be.
        again: Requests in which the others are to be sent again.
        error: Why they are; None: at once, since only their number was wrong.
    """

    settled: int
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    again: Sequence[Sequence[Row]] = ()
    error: BackendError | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The way into one index.

    Attributes:
        engine: The engine.
        index: Name of the concrete index.
        pace: How much is sent at once.
        stopping: Set when the run ends before its time: nobody waits any longer.
        now: The version that a write would have now.
    """

    engine: Engine
    index: str
    pace: Pace
    stopping: threading.Event
    now: Callable[[], int]

    def settle(self, rows: Sequence[Row]) -> dict[str, Refusal]:
        """Send rows until each is in or refused; return those that are refused, by `doc_id`.

        Raises:
            BackendError: Nothing could be written for `GIVE_UP_S`, or the engine says that nothing ever will.
        """
        refused: dict[str, Refusal] = {}
        waiting: list[tuple[Sequence[Row], int]] = [(rows, 1)]
        failures, last_s = 0, time.monotonic()
        while waiting:
            piece, attempts = waiting.pop()
            sent = self._send(piece, attempts)
            refused |= sent.refused
            if sent.settled:
                failures, last_s = 0, time.monotonic()
            if sent.error is not None:
                failures += 1
                self._wait(sent.error, failures, last_s)
            waiting += [(chunk, attempts + 1) for chunk in sent.again]
        return refused

    def _send(self, rows: Sequence[Row], attempts: int) -> _Sent:
        try:
            answer = self.engine.request("POST", path(self.index, "_bulk"), body_of(rows), params=_ANSWER, attempts=1)
        except EngineError as error:
            return self._failed(rows, attempts, error)
        except UnreachableError as error:
            return _Sent(0, again=[rows], error=error)
        if isinstance(answer, dict) and answer.get("errors") is False:
            self.pace.grow()
            return _Sent(len(rows))
        return self._sorted(rows, attempts, answer)

    def _failed(self, rows: Sequence[Row], attempts: int, error: EngineError) -> _Sent:
        """Tell what to do where the engine refused a request as a whole."""
        if error.status == _TOO_LARGE:
            self.pace.shrink()
        if error.status in (_TOO_LARGE, _BAD_REQUEST):
            if len(rows) > 1:
                half = len(rows) // 2
                return _Sent(0, again=[rows[:half], rows[half:]])
            refusal = Refusal(error.reason, error.error_type, error.status, attempts)
            return _Sent(1, {rows[0].doc_id: too_large(rows[0], attempts) if error.status == _TOO_LARGE else refusal})
        if error.status == _TOO_MANY:
            self.pace.shrink()
        elif error.status < 500:  # noqa: PLR2004 (the server's faults)
            raise error
        return _Sent(0, again=cut(rows, self.pace.size), error=error)

    def _sorted(self, rows: Sequence[Row], attempts: int, answer: Any) -> _Sent:  # noqa: ANN401 (JSON)
        """Tell what became of each row where something went wrong."""
        items = answer.get("items", []) if isinstance(answer, dict) else []
        if len(items) != len(rows):
            error = BackendError(
                f"{self.engine.where} answered {len(items)} of {len(rows)} documents: the answer is cut"
            )
            return _Sent(0, again=[rows], error=error)
        verdicts = [judge(item, attempts, self.now()) for item in items]
        refused, again = {}, []
        last = None
        for row, (outcome, refusal) in zip(rows, verdicts, strict=True):
            if refusal is None:
                continue
            last = f"index {self.index!r} at {self.engine.where} does not take documents: {refusal.reason}"
            if outcome == "stop":
                raise BackendError(last)
            if outcome == "refused":
                refused[row.doc_id] = refusal
            else:
                again.append(row)
        if not again:
            return _Sent(len(rows), refused)
        self.pace.shrink()
        return _Sent(len(rows) - len(again), refused, cut(again, self.pace.size), BackendError(str(last)))

    def _wait(self, error: BackendError, failures: int, last_s: float) -> None:
        if time.monotonic() - last_s > GIVE_UP_S:
            raise error
        _log.info("%s; trying again", error)
        if self.stopping.wait(pause_s(failures, _LONGEST_PAUSE_S)):
            raise BackendError(f"the run ended before all was written: {error}")
