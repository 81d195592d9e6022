from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import torch

from prorank_search.errors import OverloadedError, RescorerError
from prorank_search.scoring import scheduler as scheduling
from prorank_search.scoring.forward import Prefix
from prorank_search.scoring.scheduler import Ids, Job, Scheduler, next_pass


class RecordingEngine:
    """Scores a row by its prefix and ids, remembers each pass, and can be held before one.

    Attributes:
        passes: The rows of each pass, as (prefix length, ids).
        gate: Passes wait until it is set.
        started: Set when a pass has begun.
        fails_on: A row that no pass survives.
    """

    tokens_a_batch = 12

    def __init__(self) -> None:
        self.passes: list[list[tuple[int, Ids]]] = []
        self.prefixes: list[Ids] = []
        self.gate, self.started = threading.Event(), threading.Event()
        self.gate.set()
        self.fails_on: dict[int, Exception] = {}

    def read_prefixes(self, rows: Sequence[Ids]) -> list[Prefix]:
        self.prefixes += rows
        tensors = [torch.zeros(1, 1, len(ids), 1) for ids in rows]
        return [Prefix((tensor,), (tensor,)) for tensor in tensors]

    def score(self, rows: Sequence[tuple[Prefix, Ids]]) -> list[float]:
        self.started.set()
        self.gate.wait()
        self.passes.append([(prefix.tokens, ids) for prefix, ids in rows])
        for _, ids in rows:
            if ids[0] in self.fails_on:
                raise self.fails_on[ids[0]]
        return [1000.0 * prefix.tokens + sum(ids) for prefix, ids in rows]

    def hold(self) -> None:
        """Let the next pass begin, and wait."""
        self.gate.clear()
        self.started.clear()


@pytest.fixture
def engine() -> RecordingEngine:
    return RecordingEngine()


@pytest.fixture
def scheduler(engine: RecordingEngine) -> Iterator[Scheduler]:
    scheduler = Scheduler(engine)
    yield scheduler
    engine.gate.set()
    scheduler.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


@dataclass
class Clock:
    """What the scheduler takes for the time, in seconds."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(scheduling, "time", clock)
    return clock


def _in_line(scheduler: Scheduler, jobs: int) -> None:
    until = time.monotonic() + 60
    while len(scheduler._line) < jobs:  # noqa: SLF001 (who waits in line is nobody's business but a test's)
        assert time.monotonic() < until
        time.sleep(0.001)


def test_scores_come_back_in_the_order_of_the_rows(scheduler: Scheduler, engine: RecordingEngine) -> None:
    rows = [[1], [2, 2, 2], [3], [4, 4], [5, 5, 5, 5, 5, 5, 5]]
    assert scheduler.score([9, 9], rows) == [2001, 2006, 2003, 2008, 2035]
    assert [len(ids) for each in engine.passes for _, ids in each] == [7, 3, 2, 1, 1]
    assert len(engine.prefixes) == 1


def test_a_pass_stays_inside_its_budget_unless_one_row_is_over_it(
    scheduler: Scheduler, engine: RecordingEngine
) -> None:
    scheduler.score([9], [[1] * length for length in (40, 5, 5, 5, 4, 3, 3)])
    assert [[len(ids) for _, ids in each] for each in engine.passes] == [[40], [5, 5], [5, 4], [3, 3]]


def test_rows_of_equal_length_keep_their_order(scheduler: Scheduler, engine: RecordingEngine) -> None:
    scheduler.score([9], [[number] for number in range(20)])
    assert [ids[0] for each in engine.passes for _, ids in each] == list(range(20))


def test_no_rows_need_no_pass(scheduler: Scheduler, engine: RecordingEngine) -> None:
    assert scheduler.score([9], []) == []
    assert engine.passes == []


def test_two_queries_share_a_forward_pass(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    engine.hold()
    first = threads.submit(scheduler.score, [9], [[1]])
    assert engine.started.wait(60)
    second = threads.submit(scheduler.score, [9, 9], [[2], [3]])
    _in_line(scheduler, 2)
    third = threads.submit(scheduler.score, [9, 9, 9], [[4]])
    _in_line(scheduler, 3)
    engine.gate.set()
    assert (first.result(), second.result(), third.result()) == ([1001], [2002, 2003], [3004])
    assert engine.passes == [[(1, [1])], [(2, [2]), (2, [3]), (3, [4])]]


def test_many_threads_get_their_own_scores(scheduler: Scheduler, threads: ThreadPoolExecutor) -> None:
    def ask(number: int) -> bool:
        rows = [[number] * (1 + number * place % 7) for place in range(number % 11)]
        return scheduler.score([9] * (number + 1), rows) == [1000 * (number + 1) + sum(row) for row in rows]

    assert all(threads.map(ask, range(200)))


def test_the_deadline_leaves_out_the_last_hits(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor, clock: Clock
) -> None:
    engine.hold()
    rows = [[1] * 6, [2] * 5, [3] * 11, [4] * 12]
    asked = threads.submit(scheduler.score, [9], rows, clock.now + 1.0)
    assert engine.started.wait(60)
    clock.now += 1.01
    engine.gate.set()
    assert asked.result() == [1006, 1010, None, None]


def test_a_pass_is_no_longer_than_the_deadline_leaves_time_for(
    scheduler: Scheduler, engine: RecordingEngine, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    at_once = engine.score

    def slowly(rows: Sequence[tuple[Prefix, Ids]]) -> list[float]:
        clock.now += 0.02 * sum(len(ids) for _, ids in rows)
        return at_once(rows)

    monkeypatch.setattr(engine, "score", slowly)
    scheduler.score([9], [[1] * 12])
    scores = scheduler.score([9], [[1] * 6] * 9, clock.now + 0.5)
    assert 0 < scores.count(None) < len(scores)
    assert len(engine.passes[1]) == 2
    assert len(engine.passes[-1]) == 1


def test_the_speed_of_a_pass_is_told_without_the_time_in_line(
    engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    seen: list[tuple[int, float]] = []
    scheduler = Scheduler(engine, lambda rows, seconds: seen.append((rows, seconds)))
    engine.hold()
    first = threads.submit(scheduler.score, [9], [[1] * 12])
    assert engine.started.wait(60)
    second = threads.submit(scheduler.score, [9, 9], [[2], [3]])
    _in_line(scheduler, 2)
    time.sleep(0.5)
    engine.gate.set()
    assert None not in [*first.result(), *second.result()]
    scheduler.close()
    assert [rows for rows, _ in seen] == [1, 2]
    assert seen[0][1] >= 0.5 > seen[1][1]


def test_a_deadline_that_has_passed_costs_no_pass(scheduler: Scheduler, engine: RecordingEngine) -> None:
    assert scheduler.score([9], [[1], [2]], time.monotonic() - 1) == [None, None]
    assert engine.passes == []


def test_cancellation_frees_the_place(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    cancelled = threading.Event()
    engine.hold()
    first = threads.submit(scheduler.score, [9], [[1] * 12, [2] * 12, [3] * 12], None, cancelled.is_set)
    assert engine.started.wait(60)
    second = threads.submit(scheduler.score, [9, 9], [[4]])
    _in_line(scheduler, 2)
    cancelled.set()
    engine.gate.set()
    assert first.result() == [1012, None, None]
    assert second.result() == [2004]
    assert engine.passes == [[(1, [1] * 12)], [(2, [4])]]


def test_an_engines_error_reaches_its_callers_and_the_next_is_served(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    engine.fails_on[7] = ValueError("no such layer")
    engine.hold()
    first = threads.submit(scheduler.score, [9], [[7], [1]])
    assert engine.started.wait(60)
    second = threads.submit(scheduler.score, [9, 9], [[2]])
    _in_line(scheduler, 2)
    engine.gate.set()
    with pytest.raises(RescorerError, match="ValueError: no such layer") as raised:
        first.result()
    assert isinstance(raised.value.__cause__, ValueError)
    assert second.result() == [2002]


def test_a_row_that_no_pass_survives_fails_its_own_request_alone(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    engine.fails_on[7] = ValueError("too long")
    engine.hold()
    threads.submit(scheduler.score, [9], [[1]])
    assert engine.started.wait(60)
    bad = threads.submit(scheduler.score, [9, 9], [[7]])
    _in_line(scheduler, 2)
    good = threads.submit(scheduler.score, [9, 9, 9], [[2], [3]])
    _in_line(scheduler, 3)
    engine.gate.set()
    assert good.result() == [3002, 3003]
    with pytest.raises(RescorerError, match="too long"):
        bad.result()


def test_a_search_overtakes_a_long_request_without_a_deadline(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    engine.hold()
    long = threads.submit(scheduler.score, [9], [[number] * 12 for number in range(4)])
    assert engine.started.wait(60)
    search = threads.submit(scheduler.score, [9, 9], [[5] * 12, [6] * 12], time.monotonic() + 10)
    _in_line(scheduler, 2)
    engine.gate.set()
    assert None not in [*long.result(), *search.result()]
    assert [rows[0][1][0] for rows in engine.passes] == [0, 5, 6, 1, 2, 3]


def test_a_request_without_a_deadline_is_due_some_time(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    engine.hold()
    long = threads.submit(scheduler.score, [9], [[number] * 12 for number in range(3)])
    assert engine.started.wait(60)
    later = threads.submit(scheduler.score, [9, 9], [[5] * 12], time.monotonic() + 1000)
    _in_line(scheduler, 2)
    engine.gate.set()
    assert None not in [*long.result(), *later.result()]
    assert [rows[0][1][0] for rows in engine.passes] == [0, 1, 2, 5]


def test_an_engine_that_loses_a_score_fails_its_callers_and_the_next_is_served(
    scheduler: Scheduler, engine: RecordingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine, "score", lambda rows: [1.0] * (len(rows) - 1))
        with pytest.raises(RescorerError, match="ValueError"):
            scheduler.score([9], [[1], [2]])
    assert scheduler.score([9], [[1]]) == [1001]


def test_an_error_of_ours_is_raised_as_it_is(scheduler: Scheduler, engine: RecordingEngine) -> None:
    engine.fails_on[7] = OverloadedError("too much")
    with pytest.raises(OverloadedError, match="too much"):
        scheduler.score([9], [[7]])


def test_a_cancelled_that_fails_ends_its_own_request_alone(scheduler: Scheduler) -> None:
    def cancelled() -> bool:
        raise OSError("the client is gone")

    with pytest.raises(RescorerError, match="the client is gone"):
        scheduler.score([9], [[1]], None, cancelled)
    assert scheduler.score([9], [[1]]) == [1001]


def test_close_finishes_what_is_in_line_and_takes_nothing_more(
    scheduler: Scheduler, engine: RecordingEngine, threads: ThreadPoolExecutor
) -> None:
    engine.hold()
    asked = threads.submit(scheduler.score, [9], [[1] * 12, [2] * 12])
    assert engine.started.wait(60)
    closing = threads.submit(scheduler.close)
    engine.gate.set()
    closing.result()
    assert asked.result() == [1012, 1024]
    with pytest.raises(RescorerError, match="closed"):
        scheduler.score([9], [[1]])


def test_a_process_that_ends_while_a_pass_runs_waits_for_the_pass_and_drops_the_rest() -> None:
    ended = subprocess.run([sys.executable, "-c", _ENDS_WHILE_SCORING], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "scored 1\n", "")


_ENDS_WHILE_SCORING = """
import sys, threading, time, torch
from prorank_search.scoring.scheduler import Scheduler

started = threading.Event()

class Engine:
    tokens_a_batch = 1
    def read_prefixes(self, rows):
        return rows
    def score(self, rows):
        started.set()
        while not scheduler._closed:
            time.sleep(0.001)
        for _ in range(40):
            torch.mm(torch.ones(800, 800), torch.ones(800, 800))
        print("scored", rows[0][1][0], flush=True)
        return [0.0]

scheduler = Scheduler(Engine())
def ask():
    try:
        scheduler.score([9], [[1], [2], [3]])
    except Exception:
        pass
threading.Thread(target=ask, daemon=True).start()
started.wait()
sys.exit(3)
"""


def job(prefix: int, *rows: int) -> Job:
    """A request whose query and documents have that many tokens."""
    waiting = list(range(len(rows)))
    return Job([1] * prefix, [[2] * row for row in rows], None, None, 0.0, waiting, [None] * len(rows))


def test_queries_that_would_not_be_read_in_time_wait_for_the_next_pass() -> None:
    line = [job(8, 2, 2), job(8, 2), job(8, 2)]
    assert [rows for _, rows in next_pass(line, 100, 22)] == [0, 1, 0]
    assert len(next_pass(line, 100, 22)) == 1


def test_a_row_is_always_taken_however_little_time_is_left() -> None:
    assert len(next_pass([job(8, 2, 2)], 100, -5)) == 1
