"""The progress bar: documents and documents a second, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prorank_search.types import Document

Watch = Callable[[Iterable[Document]], Iterator[Document]]
"""Passes documents through, and counts them on their way."""

_STEP = 200


@contextmanager
def progress_bar(label: str) -> Iterator[Watch]:
    """Give a function that passes documents through and shows how many came; without a terminal it shows nothing.

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

    speed = TextColumn("{task.completed:,.0f} documents, {task.fields[speed]:,.0f} a second")
    with Progress(SpinnerColumn(), TextColumn(label), speed, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(label, total=None, speed=0.0)

        def watch(documents: Iterable[Document]) -> Iterator[Document]:
            for number, document in enumerate(documents, start=1):
                if number % _STEP == 0:
                    so_far = progress.tasks[task]
                    progress.update(task, advance=_STEP, speed=so_far.completed / (so_far.elapsed or 1.0))
                yield document

        yield watch
