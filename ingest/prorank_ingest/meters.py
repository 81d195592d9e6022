"""How far a reader has come, for the progress bar; a reader holds one and asks nothing of it while it reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TypeVar

from prorank_search.protocols import Extent

Record = TypeVar("Record")


class FileMeter:
    """Tells how far a file has been read, by its place in the file on disk: that costs a line that is read nothing."""

    def __init__(self) -> None:
        """Begin before any file."""
        self._file: BinaryIO | None = None
        self._size = 0

    def watch(self, file: BinaryIO) -> BinaryIO:
        """Measure an open file, and return it."""
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        return file

    def extent(self) -> Extent:
        """Return how many of its bytes were read; a file that was closed was read to its end."""
        if self._file is None:
            return Extent(0, 0, "bytes")
        return Extent(self._size if self._file.closed else self._file.tell(), self._size, "bytes")


class RecordMeter:
    """Counts the records of a source that says how many it has."""

    def __init__(self) -> None:
        """Begin with a source of nothing."""
        self._done = self._total = 0

    def count(self, records: Iterable[Record], total: int) -> Iterator[Record]:
        """Pass records through.

        Example:
            >>> meter = RecordMeter()
            >>> next(meter.count(["a", "b"], 2)), meter.extent()
            ('a', Extent(done=1, total=2, unit='records'))
        """
        self._done, self._total = 0, total
        for record in records:
            self._done += 1
            yield record

    def extent(self) -> Extent:
        """Return how many of them came."""
        return Extent(self._done, self._total, "records")
