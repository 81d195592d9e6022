"""The progress bar: documents and documents a second, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prorank_search.protocols import BadRecord
from prorank_search.types import Document

Record = Document | BadRecord
Watch = Callable[[Iterable[Record]], Iterator[Record]]
"""Passes records through, and counts them on their way."""

_STEP = 200


@contextmanager
def progress_bar(label: str) -> Iterator[Watch]:
    """Give a function that passes records through and shows how many came; without a terminal it shows nothing.

    Example:
        >>> with progress_bar("animals") as watch:
        ...     [document.doc_id for document in watch([Document("dog", "It barks.")])]
        ['dog']
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield iter
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    speed = TextColumn("{task.completed:,} records, {task.fields[speed]:,.0f} a second")
    with Progress(SpinnerColumn(), TextColumn(label), speed, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(label, total=None, speed=0.0)

        def watch(records: Iterable[Record]) -> Iterator[Record]:
            for number, record in enumerate(records, start=1):
                if number % _STEP == 0:
                    progress.update(task, completed=number, speed=number / (progress.tasks[task].elapsed or 1.0))
                yield record

        yield watch
