"""How far the steps of a longer work are: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def step_progress() -> Iterator[Callable[[str, float], None]]:
    """Draw a bar on a terminal, write a line for each step elsewhere, both on stderr.

    Yields:
        What is to be told of each step: what is done now, and the part of all the work that lies behind (0 to 1).
    """
    if not sys.stderr.isatty():
        yield lambda step, done: typer.echo(f"{done:4.0%} {step}", err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    label = TextColumn("{task.percentage:3.0f}% {task.description}")
    columns = (SpinnerColumn(), BarColumn(), label, TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), redirect_stderr=False, transient=True) as bar:
        task = bar.add_task("", total=1.0, start=False)

        def report(step: str, done: float) -> None:
            bar.start_task(task)
            bar.update(task, description=step, completed=done)

        yield report
