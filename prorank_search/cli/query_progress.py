"""The progress bar over queries: on stderr, in a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def query_progress(label: str, queries: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many queries are done; without a terminal it shows nothing."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=queries)
        yield lambda done: progress.update(task, completed=done)
