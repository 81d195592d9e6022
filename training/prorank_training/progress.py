"""How far a stage is, on stderr: a bar with the time left in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from prorank_training import workers

Progress = Callable[[int, int, Mapping[str, Any]], None]
"""Told how much is done, of how much, and what was measured with it."""

_SHOWN = ("loss", "format_reward", "correctness_reward", "positive_first", "gradient_norm", "collection")


@contextmanager
def step_progress(label: str, every: int) -> Iterator[Progress]:
    """Give a function that shows how far a stage is.

    Args:
        label: The stage.
        every: Steps between two lines, where stderr is no terminal.
    """
    if not workers.leads():
        yield lambda _done, _total, _metrics: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        clock = _Clock()

        def write(done: int, total: int, metrics: Mapping[str, Any]) -> None:
            left = clock.left(done, total)
            if done % every == 0 or done == total:
                text = f"{label} {done:,}/{total:,}, {left} left, {_measured(metrics)}"
                console.print(text, soft_wrap=True, markup=False, highlight=False)

        yield write
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, TextColumn("{task.description}"), console=console, speed_estimate_period=600) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, metrics: bar.update(task, completed=done, total=total, description=_measured(metrics))


class _Clock:
    """Guesses the time left from the steps since it first heard of one."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def left(self, done: int, total: int) -> str:
        now = time.monotonic()
        if self._first is None:
            self._first = (done, now)
        first, began = self._first
        if done == first:
            return "unknown time"
        return str(timedelta(seconds=round((now - began) / (done - first) * (total - done))))


def _measured(metrics: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {metrics[name]}" for name in _SHOWN if name in metrics)
