"""How far an ingest is: a bar on a terminal, or lines of JSON for whoever started it as a process.

Both tell documents a second and, of a source whose size is known, how much of it was read.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from prorank_search.protocols import Extent, MeasuredReader, Reader
from prorank_search.types import Document

Watch = Callable[[Iterable[Document]], Iterator[Document]]
"""Passes documents through, and counts them on their way."""
CountBad = Callable[[int], object]
"""Is told of bad records."""

_STEP = 200
_LINE_EVERY_S = 1.0


@contextmanager
def progress_bar(label: str, reader: Reader) -> Iterator[tuple[Watch, CountBad]]:
    """Give what counts documents and what counts bad records, and show both; without a terminal nothing is shown."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield iter, lambda _: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(label), TextColumn("{task.fields[pace]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(label, total=None, pace="")
        pace = Pace(time.monotonic())

        def watch(documents: Iterable[Document]) -> Iterator[Document]:
            for document in documents:
                pace.documents += 1
                if pace.documents % _STEP == 0:
                    extent = reader.extent() if isinstance(reader, MeasuredReader) else None
                    progress.update(task, pace=pace.in_words(extent, time.monotonic()))
                yield document

        def count_bad(records: int) -> None:
            pace.bad_records += records

        yield watch, count_bad


@contextmanager
def progress_lines(
    reader: Reader, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[Watch, CountBad]]:
    """Give what counts documents and what counts bad records, and write both once a second as a line of JSON.

    Args:
        reader: Reads the source.
        write: Takes a line.
        clock: Seconds from some moment.
    """
    pace = Pace(clock())
    due = pace.started

    def watch(documents: Iterable[Document]) -> Iterator[Document]:
        nonlocal due
        for document in documents:
            pace.documents += 1
            now = clock()
            if now >= due:
                due = now + _LINE_EVERY_S
                extent = reader.extent() if isinstance(reader, MeasuredReader) else None
                write(json.dumps(pace.as_json(extent, now)))
            yield document

    def count_bad(records: int) -> None:
        pace.bad_records += records

    yield watch, count_bad


@dataclass(slots=True)
class Pace:
    """How fast an ingest is.

    Attributes:
        started: When it began, in seconds.
        documents: Documents that came by.
        bad_records: Records that became dead letters.
        first: When the first ones came, and how much of the source had been read then: a run that goes on passes over
            the part that is in already, which says nothing about the rest.
    """

    started: float
    documents: int = 0
    bad_records: int = 0
    first: tuple[float, int] | None = None

    def in_words(self, extent: Extent | None, now: float) -> str:
        """Return the pace up to now.

        Example:
            >>> pace = Pace(started=0.0, documents=200)
            >>> pace.in_words(Extent(2_000_000, 20_000_000, "bytes"), now=1.0)
            '200 documents, 200 a second'
            >>> pace.documents = 400
            >>> pace.in_words(Extent(6_000_000, 20_000_000, "bytes"), now=2.0)
            '400 documents, 200 a second, 4.0 MB/s, 0:00:04 left'
        """
        words = [f"{self.documents:,} documents", f"{self.documents / max(now - self.started, 1e-3):,.0f} a second"]
        if self.bad_records:
            words.append(f"{self.bad_records:,} bad records")
        if extent is not None:
            words += self._of_source(extent, now)
        return ", ".join(words)

    def as_json(self, extent: Extent | None, now: float) -> dict[str, object]:
        """Return the pace up to now as plain values; `share_read` is the part of the source that was read, from 0 to 1.

        Example:
            >>> Pace(started=0.0, documents=200).as_json(Extent(5, 20, "bytes"), now=2.0)
            {'documents': 200, 'docs_per_s': 100.0, 'bad_records': 0, 'share_read': 0.25}
        """
        return {
            "documents": self.documents,
            "docs_per_s": round(self.documents / max(now - self.started, 1e-3), 1),
            "bad_records": self.bad_records,
            "share_read": round(extent.done / extent.total, 4) if extent is not None and extent.total else None,
        }

    def _of_source(self, extent: Extent, now: float) -> Iterator[str]:
        self.first = self.first or (now, extent.done)
        since, begun = self.first
        if extent.done > begun and now > since:
            a_second = (extent.done - begun) / (now - since)
            if extent.unit == "bytes":
                yield f"{a_second / 1e6:,.1f} MB/s"
            yield f"{timedelta(seconds=math.ceil((extent.total - extent.done) / a_second))} left"
