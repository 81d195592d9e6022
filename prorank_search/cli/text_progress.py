"""How far hours of scoring are, on stderr: a bar with the time left in a terminal, a line a minute elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

LINE_EVERY_S = 60.0
SPEED_OF_S = 600.0
"""The time left is guessed from the speed of so many seconds: what the score cache knew goes by in no time."""


class TimeLeft:
    """Guesses the time left from the speed of the last minutes.

    Args:
        clock: Seconds from some moment.

    Example:
        >>> seconds = iter([0.0, 10.0])
        >>> left = TimeLeft(lambda: next(seconds))
        >>> left(0, 100), left(20, 100)
        ('unknown time', '0:00:40')
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def __call__(self, done: int, total: int) -> str:
        """Return the time left as hours, minutes and seconds."""
        now = self._clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > SPEED_OF_S and len(self._seen) > 1:
            self._seen.popleft()
        began, first = self._seen[0]
        if done == first:
            return "unknown time"
        return str(timedelta(seconds=round((now - began) / (done - first) * (total - done))))


@contextmanager
def text_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that is told what is scored, how many texts are done, and of how many."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console.print)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, speed_estimate_period=SPEED_OF_S) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def _lines(write: Callable[[str], None]) -> Callable[[str, int, int], None]:
    left, due = TimeLeft(), time.monotonic() + LINE_EVERY_S

    def show(what: str, done: int, total: int) -> None:
        nonlocal due
        remaining = left(done, total)
        if time.monotonic() >= due:
            due = time.monotonic() + LINE_EVERY_S
            write(f"{what}: {done:,} of {total:,} texts, {remaining} left")

    return show
