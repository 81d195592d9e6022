"""Parquet files: a row is a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_ingest.meters import RecordMeter
from prorank_ingest.plain_values import plain_row
from prorank_ingest.records import Names, RecordError, require_columns, to_document
from prorank_ingest.source_files import fingerprint
from prorank_search import plugins
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, Extent, Reader, ReaderOptions
from prorank_search.types import Document

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """Reads a Parquet file, one group of rows after the other. A broken group is one bad record."""

    path: Path
    names: Names
    meter: RecordMeter = field(default_factory=RecordMeter)

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the rows in file order.

        Raises:
            InputError: The file is no Parquet file, or lacks a column for the id, or for both title and text.
        """
        return islice(self._rows(), start, None)

    def fingerprint(self) -> str:
        """Change when the file does."""
        return fingerprint([self.path])

    def extent(self) -> Extent:
        """Count the rows."""
        return self.meter.extent()

    def _rows(self) -> Iterator[Document | BadRecord]:
        file = _opened(self.path)
        require_columns(self.path, file.schema_arrow.names, self.names)
        yield from self.meter.count(self._groups(file), file.metadata.num_rows)

    def _groups(self, file: ParquetFile) -> Iterator[Document | BadRecord]:
        first = 1
        for group in range(file.num_row_groups):
            yield from self._group(file, group, first)
            first += file.metadata.row_group(group).num_rows

    def _group(self, file: ParquetFile, group: int, first: int) -> Iterator[Document | BadRecord]:
        import pyarrow as pa

        number = first
        try:
            for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group]):
                for row in batch.to_pylist():
                    yield self._record(row, number)
                    number += 1
        except (OSError, ValueError, pa.ArrowException) as error:
            last = first + file.metadata.row_group(group).num_rows - 1
            yield BadRecord(str(self.path), number, f"rows {number} to {last} cannot be read: {error}")

    def _record(self, row: dict[str, object], number: int) -> Document | BadRecord:
        record = plain_row(row)
        try:
            return to_document(record, self.names)
        except RecordError as error:
            return BadRecord(str(self.path), number, str(error), json.dumps(record, ensure_ascii=False))


def _opened(path: Path) -> ParquetFile:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of a .parquet file."""
    path = Path(source)
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return None
    plugins.require("pyarrow", needed_by="parquet")
    return ParquetRows(path, Names.of(options))
