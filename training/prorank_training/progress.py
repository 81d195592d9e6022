"""How far a stage is, on stderr: a bar with the time left in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prorank_search.cli.text_progress import TimeLeft
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
        time_left = TimeLeft()

        def write(done: int, total: int, metrics: Mapping[str, Any]) -> None:
            left = time_left(done, total)
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


def _measured(metrics: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {metrics[name]}" for name in _SHOWN if name in metrics)
