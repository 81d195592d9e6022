"""Tables: CSV and TSV with a header line, plain or packed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from prorank_ingest.meters import FileMeter
from prorank_ingest.records import Names, RecordError, require_columns, to_document
from prorank_ingest.source_files import fingerprint, lines_of, with_packed
from prorank_search.protocols import BadRecord, Extent, Reader, ReaderOptions
from prorank_search.types import Document

_ENDINGS = with_packed(".csv", ".tsv")
_LONGEST_FIELD = 1 << 24


@dataclass(frozen=True, slots=True)
class Table:
    """Reads a table whose header names the columns; the delimiter is the commonest of tab, comma, semicolon in it."""

    path: Path
    names: Names
    meter: FileMeter = field(default_factory=FileMeter)

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the rows in file order.

        Raises:
            InputError: The header lacks a column for the id, or for both title and text.
        """
        return islice(self._rows(), start, None)

    def fingerprint(self) -> str:
        """Change when the file does."""
        return fingerprint([self.path])

    def extent(self) -> Extent:
        """Measure the file."""
        return self.meter.extent()

    def _rows(self) -> Iterator[Document | BadRecord]:
        lines = _Lines(lines_of(self.path, self.meter))
        csv.field_size_limit(_LONGEST_FIELD)
        header_line = next(lines, "").removeprefix("\ufeff")
        delimiter = max("\t,;", key=header_line.count)
        columns = next(csv.reader([header_line], delimiter=delimiter), [])
        require_columns(self.path, columns, self.names)
        rows = csv.reader(lines, delimiter=delimiter)
        while True:
            first, raw = lines.start_record()
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRecord(str(self.path), first, f"not a row: {error}", "".join(raw))
                continue
            if row:
                yield self._record(row, columns, first, raw)

    def _record(self, row: list[str], columns: list[str], line: int, raw: list[str]) -> Document | BadRecord:
        try:
            return to_document(_by_column(row, columns), self.names)
        except RecordError as error:
            text = "".join(raw).rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            return BadRecord(str(self.path), line, str(error), text)


def _by_column(row: list[str], columns: list[str]) -> dict[str, object]:
    if len(row) != len(columns):
        raise RecordError(f"columns: {len(columns)} in the header, {len(row)} in the row")
    return dict(zip(columns, row, strict=True))


class _Lines:
    """Decodes lines, counts them, and remembers those of the row that is being read."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._read = 0
        self._raw: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines).decode("utf-8", "surrogateescape")
        self._read += 1
        self._raw.append(line)
        return line

    def start_record(self) -> tuple[int, list[str]]:
        """Return the number of the next line, and the list that the lines of the next row will go into."""
        self._raw = []
        return self._read + 1, self._raw


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of a .csv or .tsv file, plain, .gz or .zst."""
    path = Path(source)
    if path.name.lower().endswith(_ENDINGS) and path.is_file():
        return Table(path, Names.of(options))
    return None
