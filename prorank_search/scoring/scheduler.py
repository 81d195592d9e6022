"""One model, many callers: requests wait in line and share forward passes.

A worker thread fills each pass up to a budget of tokens: first from the request that is due first, then from those
behind it. So a search that a person waits for overtakes a long request without a deadline, which itself is due some
time after it came, and never starves. Deadlines and cancellation are looked at between passes.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakSet

from prorank_search.errors import ProRankError, RescorerError
from prorank_search.scoring.forward import Prefix

Ids = Sequence[int]

_PASSES_WORTH = 2
"""Tokens of a pass where no deadline is near, in batches: one of rows, one of their queries' prefixes."""

_PATIENCE_S = 30.0
"""When a request without a deadline is due, after it came."""


class Engine(Protocol):
    """What the scheduler needs of an engine."""

    tokens_a_batch: int

    def read_prefixes(self, rows: Sequence[Ids]) -> list[Prefix]:
        """Read the query's part of some prompts in one pass."""
        ...

    def score(self, rows: Sequence[tuple[Prefix, Ids]]) -> list[float]:
        """Score rows in one pass."""
        ...


@dataclass(eq=False, slots=True)
class Job:
    """One request in line.

    Attributes:
        prefix_ids: The query's part of the prompt.
        rows: The ids that follow it, for each document.
        deadline: `time.monotonic()` seconds; rows not scored by then stay unscored.
        cancelled: True once nobody waits any longer.
        due: `time.monotonic()` seconds; the request that is due first is served first.
        waiting: Positions still to be scored, in the order in which they will be.
        scores: A score for each row, None until it is there.
        prefix: The query's keys and values, read when its turn comes.
        error: Why the request failed.
        done: Set when nothing more will happen to it.
    """

    prefix_ids: Ids
    rows: Sequence[Ids]
    deadline: float | None
    cancelled: Callable[[], bool] | None
    due: float
    waiting: list[int]
    scores: list[float | None]
    prefix: Prefix | None = None
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def expired(self) -> bool:
        """Tell whether more scores would be of no use; a `cancelled` that fails ends the job with its error."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return True
        try:
            return self.cancelled is not None and self.cancelled()
        except Exception as error:  # noqa: BLE001 (the caller's own function: its error is the caller's to know)
            self.error = error
            return True


class Scheduler:
    """Runs an engine in one thread for callers in many.

    Args:
        engine: What computes.
        saw: Told after each pass how many rows it scored and the seconds it took, without any time spent in line.
    """

    def __init__(self, engine: Engine, saw: Callable[[int, float], object] = lambda _rows, _seconds: None) -> None:
        self._engine = engine
        self._saw = saw
        self._line: list[Job] = []
        self._changed = threading.Condition()
        self._closed = False
        self._seconds_a_token = 0.0  # of the last pass; before the first one nothing is known
        self._worker = threading.Thread(target=self._work, name="prorank-scheduler", daemon=True)
        self._worker.start()
        _WORKING.add(self)

    def score(
        self,
        prefix_ids: Ids,
        rows: Sequence[Ids],
        deadline: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[float | None]:
        """Score the documents of one query. Blocks until they are scored, or the deadline or cancellation comes.

        Args:
            prefix_ids: The query's part of the prompt.
            rows: The ids that follow it, for each document, in first-stage order.
            deadline: `time.monotonic()` seconds. With one, rows are scored in first-stage order, pass by pass.
            cancelled: True once nobody waits any longer.

        Returns:
            A score for each row; None where it was not scored in time.

        Raises:
            RescorerError: The engine failed, or the scheduler was closed.
        """
        if not rows:
            return []
        waiting = scoring_order([len(row) for row in rows], self._engine.tokens_a_batch, chunked=deadline is not None)
        due = time.monotonic() + _PATIENCE_S if deadline is None else deadline
        job = Job(prefix_ids, rows, deadline, cancelled, due, waiting, [None] * len(rows))
        with self._changed:
            if self._closed:
                raise RescorerError("the rescorer was closed")
            self._line.append(job)
            self._changed.notify_all()
        try:
            job.done.wait()
        finally:
            self._drop([job])  # an interrupted caller leaves no work behind
        if isinstance(job.error, ProRankError):
            raise job.error
        if job.error is not None:
            raise RescorerError(f"the model failed: {type(job.error).__name__}: {job.error}") from job.error
        return job.scores

    def close(self) -> None:
        """Finish what is in line, then stop the worker."""
        self.stop()
        self._worker.join()

    def stop(self) -> None:
        """Take nothing more, and let the worker end by itself after what is in line; may be called by any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Drop what is in line and wait for the pass that is running."""
        with self._changed:
            line = list(self._line)
            for job in line:
                job.error = RescorerError("the rescorer was closed")
        self._drop(line)
        self.close()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._line or self._closed)
                line = sorted(self._line, key=lambda job: job.due)
            if not line:
                return
            self._drop([job for job in line if job.expired()])
            left = [job for job in line if not job.done.is_set()]
            if left:
                self._run(next_pass(left, self._engine.tokens_a_batch, self._tokens_in_time(left[0].deadline)))
            self._drop([job for job in line if not job.waiting])

    def _tokens_in_time(self, deadline: float | None) -> int:
        """Return the tokens that are read by a deadline: on a CPU a full pass takes seconds, which it may not leave."""
        if deadline is None or not self._seconds_a_token:
            return _PASSES_WORTH * self._engine.tokens_a_batch
        return int((deadline - time.monotonic()) / self._seconds_a_token)

    def _run(self, picked: Sequence[tuple[Job, int]]) -> None:
        jobs = list({id(job): job for job, _ in picked}.values())
        unread = [job for job in jobs if job.prefix is None]
        came = time.monotonic()
        try:
            if unread:
                prefixes = self._engine.read_prefixes([job.prefix_ids for job in unread])
                for job, prefix in zip(unread, prefixes, strict=True):
                    job.prefix = prefix
            rows = [(job.prefix, job.rows[at]) for job, at in picked if job.prefix is not None]
            began = time.monotonic()
            scored = list(zip(picked, self._engine.score(rows), strict=True))
            ended = time.monotonic()
            tokens = _padded([ids for _, ids in rows]) + _padded([job.prefix_ids for job in unread])
            self._seconds_a_token = (ended - came) / tokens
            self._saw(len(rows), ended - began)
        except BaseException as error:  # noqa: BLE001 (it is the callers' to know, and the worker lives on)
            if len(jobs) > 1:  # one request's row, such as one too long for the memory, is no other request's failure
                for job in jobs:
                    self._run([row for row in picked if row[0] is job])
                return
            for job in jobs:
                job.error = error
            self._drop(jobs)
            return
        for (job, at), score in scored:
            job.scores[at] = score

    def _drop(self, jobs: Sequence[Job]) -> None:
        with self._changed:
            for job in jobs:
                if not job.done.is_set():
                    self._line.remove(job)
                    job.done.set()


_WORKING: WeakSet[Scheduler] = WeakSet()


@atexit.register
def _abandon_all() -> None:
    """Let no thread be inside torch when the interpreter goes: the process would abort instead of ending."""
    for scheduler in list(_WORKING):
        scheduler.abandon()


def scoring_order(lengths: Sequence[int], tokens_a_batch: int, *, chunked: bool) -> list[int]:
    """Return the order in which a request's rows are scored: longest first, so that a pass has little padding.

    Args:
        lengths: Tokens of each row.
        tokens_a_batch: Tokens of one pass.
        chunked: Sort only inside chunks of about one pass, so that a deadline leaves the first hits scored.

    Example:
        >>> scoring_order([3, 9, 4, 8], 12, chunked=True)
        [1, 0, 3, 2]
    """
    chunks: list[list[int]] = [[]]
    tokens = 0
    for position, length in enumerate(lengths):
        if chunked and chunks[-1] and tokens + length > tokens_a_batch:
            chunks.append([])
            tokens = 0
        chunks[-1].append(position)
        tokens += length
    return [position for chunk in chunks for position in sorted(chunk, key=lambda at: -lengths[at])]


def next_pass(line: Sequence[Job], tokens_a_batch: int, tokens_in_time: int) -> list[tuple[Job, int]]:
    """Take rows for one forward pass out of the requests in line, the first request first. One row is always taken.

    Args:
        line: The requests.
        tokens_a_batch: What the rows may come to, padded to the longest.
        tokens_in_time: What they may come to with the prefixes that must be read before them.
    """
    picked: list[tuple[Job, int]] = []
    width, prefixes, prefix_width = 0, 0, 0
    for job in line:
        more = int(job.prefix is None)
        longest = max(prefix_width, more * len(job.prefix_ids))
        while job.waiting:
            wider = max(width, len(job.rows[job.waiting[0]]))
            tokens = (len(picked) + 1) * wider
            if picked and (tokens > tokens_a_batch or tokens + (prefixes + more) * longest > tokens_in_time):
                break
            width, prefixes, prefix_width, more = wider, prefixes + more, longest, 0
            picked.append((job, job.waiting.pop(0)))
    return picked


def _padded(rows: Sequence[Ids]) -> int:
    """Return the tokens of rows as one pass reads them, each as long as the longest."""
    return len(rows) * max(map(len, rows), default=0)
