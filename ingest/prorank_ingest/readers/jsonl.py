"""JSON Lines, plain or packed, from a file or from standard input (`-`)."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prorank_ingest.json_lines import read_json_lines
from prorank_ingest.meters import FileMeter
from prorank_ingest.records import Names
from prorank_ingest.source_files import fingerprint, lines_of, with_packed
from prorank_search.protocols import BadRecord, Extent, Reader, ReaderOptions
from prorank_search.types import Document

_ENDINGS = with_packed(".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class JsonLinesFile:
    """Reads a file with one JSON object a line."""

    path: Path
    names: Names
    meter: FileMeter = field(default_factory=FileMeter)

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the records in file order."""
        return read_json_lines(lines_of(self.path, self.meter), str(self.path), self.names, start)

    def fingerprint(self) -> str:
        """Change when the file does."""
        return fingerprint([self.path])

    def extent(self) -> Extent:
        """Measure the file."""
        return self.meter.extent()


@dataclass(frozen=True, slots=True)
class StandardInput:
    """Reads JSON Lines from standard input, once."""

    names: Names

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the records as they come."""
        return read_json_lines(sys.stdin.buffer, "standard input", self.names, start)

    def fingerprint(self) -> str:
        """Change always: nobody knows whether the same comes in again."""
        return uuid.uuid4().hex


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of a .jsonl or .ndjson file, plain, .gz or .zst, or of standard input where the source is `-`."""
    if source == "-":
        return StandardInput(Names.of(options))
    path = Path(source)
    if path.name.lower().endswith(_ENDINGS) and path.is_file():
        return JsonLinesFile(path, Names.of(options))
    return None
