"""Writing into one concrete index of an engine: several bulk requests at once, and as many waiting."""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Self

from prorank_search.backends.engines import versions
from prorank_search.backends.engines.bulk import ChunkSize, Refusal, Row, delete_row, index_row
from prorank_search.backends.engines.commits import EngineCommit
from prorank_search.backends.engines.connection import Engine
from prorank_search.backends.engines.delivery import Delivery, Pace
from prorank_search.backends.engines.outdated import PARENTS_AT_ONCE, outdated
from prorank_search.errors import DocumentsRefusedError, InputError, ProRankError
from prorank_search.passages import is_first
from prorank_search.stored_documents import check_id
from prorank_search.types import Document

THREADS = 3
WAITING = 2
"""Requests that are ready while the threads are busy: what a run holds in memory is `THREADS + WAITING` requests."""
LOWERED_FROM = 50_000
"""Documents after which a hidden version's settings are lowered: a smaller load is through before that pays."""

_log = logging.getLogger(__name__)


class EngineWriter:
    """Writes into one version of an index; see `prorank_search.protocols.IndexWriter`.

    What an engine refuses is known when it has answered, so `commit` tells it. A request that was answered is durable,
    committed or not: the next run writes the same documents under the same ids.

    Attributes:
        largest: What one bulk request holds at most.
        version: Name of the concrete index, which a later run can resume.
    """

    largest = ChunkSize()

    def __init__(self, engine: Engine, target: versions.Target, lock: IO[str]) -> None:
        """Write into `target` until the lock is released; see `EngineIndexes.writer`."""
        self.version = target.name
        self._engine = engine
        self._target = target
        self._lock = lock
        self._published = not target.hidden
        self._stamps = itertools.count(_microseconds())
        self._stamp = 0
        self._pace = Pace(self.largest)
        self._stopping = threading.Event()
        self._delivery = Delivery(engine, target.name, self._pace, self._stopping, self._now)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="bulk")
        self._room = threading.Semaphore(THREADS + WAITING)
        self._begun: list[EngineCommit] = []
        self._next = EngineCommit()
        self._replaced: dict[str, int] = {}
        self._rows: list[Row] = []
        self._size_bytes = 0
        self._unlowered = LOWERED_FROM if target.hidden else math.inf

    def add(self, documents: Iterable[Document]) -> int:
        """Add or replace documents by `doc_id`; return how many. Not durable before `commit`.

        Raises:
            DocumentsRefusedError: Some have an id that is empty or too long, or are no JSON; the others were added.
            BackendError: The engine failed.
        """
        added = 0
        refused = {}
        for document in documents:
            if self._target.in_passages and document.parent_id is not None and is_first(document):
                self._replace(document.parent_id)
            try:
                row = index_row(document, self._next_stamp(), in_passages=self._target.in_passages)
            except InputError as error:
                refused[document.doc_id] = str(error)
                continue
            self._put(row)
            added += 1
        if refused:
            raise DocumentsRefusedError(refused)
        return added

    def delete(self, doc_ids: Iterable[str]) -> int:
        """Delete documents by id, with all their passages; return how many ids were given."""
        self._take_out()
        given = 0
        for doc_id in doc_ids:
            if self._target.in_passages:
                check_id(doc_id)
                self._replace(doc_id)
            else:
                self._put(delete_row(doc_id, self._next_stamp()))
            given += 1
        return given

    def begin_commit(self) -> EngineCommit:
        """Send all that was added; return what is done when the engine has answered for it: it is durable then.

        Raises:
            BackendError: The engine failed.
        """
        self._take_out()
        self._ship()
        begun, self._next = self._next, EngineCommit()
        self._begun = [each for each in self._begun if not each.done()] + [begun]
        return begun

    def commit(self) -> None:
        """Wait until the engine has answered for all that was added: it is durable then.

        Raises:
            DocumentsRefusedError: The engine does not take some of them; all the others are in.
            BackendError: The engine failed.
        """
        begun = self.begin_commit()
        self._settle()
        begun.result()

    def publish(self, expected: int | None = None) -> None:
        """Commit, and let searches see this version from now on: one atomic step.

        Raises:
            BackendError: The version does not hold as many documents as are expected; searches see what they saw.
        """
        self.commit()
        if self._target.hidden:
            restored = self._pool.submit(versions.restore, self._engine, self.version)
            versions.require_count(self._engine, self._target, expected)
            restored.result()
            versions.publish(self._engine, self._target)
            self._published = True
        else:
            versions.refresh(self._engine, self._target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Release the index's lock. What was not sent is dropped."""
        try:
            self._stopping.set()
            self._pool.shutdown(cancel_futures=True)
            if not self._published:
                self._restore()
        finally:
            self._lock.close()

    def _lower(self) -> dict[str, Refusal]:
        """Lower the settings while documents are sent; nothing is refused by that."""
        versions.lower(self._engine, self.version)
        return {}

    def _restore(self) -> None:
        try:
            versions.restore(self._engine, self.version)
        except ProRankError as error:
            _log.warning("the settings of %s stay lowered until its next ingest: %s", self.version, error)

    def _replace(self, parent_id: str) -> None:
        """Have all passages of a document taken out that were written so far."""
        if parent_id in self._replaced or len(self._replaced) == PARENTS_AT_ONCE:
            self._take_out()
        self._replaced[parent_id] = self._next_stamp()

    def _take_out(self) -> None:
        if self._replaced:
            replaced, self._replaced = self._replaced, {}
            self._settle()
            for row in outdated(self._engine, self._target, replaced):
                self._put(row)

    def _settle(self) -> None:
        """Wait until the engine has answered for all that was put."""
        self._ship()
        for each in (*self._begun, self._next):
            each.wait()

    def _put(self, row: Row) -> None:
        self._rows.append(row)
        self._size_bytes += len(row.body)
        if self._pace.size.full(len(self._rows), self._size_bytes):
            self._ship()

    def _ship(self) -> None:
        if not self._rows:
            return
        self._room.acquire()
        request = self._pool.submit(self._delivery.settle, self._rows)
        request.add_done_callback(lambda _: self._room.release())
        self._next.include(request)
        self._unlowered -= len(self._rows)
        if self._unlowered <= 0:
            self._unlowered = math.inf
            self._next.include(self._pool.submit(self._lower))
        self._rows, self._size_bytes = [], 0

    def _next_stamp(self) -> int:
        self._stamp = next(self._stamps)
        return self._stamp

    def _now(self) -> int:
        return max(self._stamp, _microseconds())


def _microseconds() -> int:
    """Return the time as a version: it grows from run to run, and JavaScript can hold it (below 2 ** 53)."""
    return time.time_ns() // 1000
