"""Dead letters as a source: their records are read once more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from prorank_ingest.json_lines import read_json_lines
from prorank_ingest.records import Names
from prorank_ingest.source_files import fingerprint, lines_of
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, ReaderOptions
from prorank_search.types import Document


@dataclass(frozen=True, slots=True)
class DeadLetterFile:
    """Reads the records of a dead-letter file: documents that an index refused, and lines of JSON that were mended.

    A record that is still no document is a dead letter again.
    """

    path: Path
    names: Names

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the records in file order.

        Raises:
            InputError: The file is not one of dead letters.
        """
        return islice(map(self._record, enumerate(lines_of(self.path), start=1)), start, None)

    def fingerprint(self) -> str:
        """Change when the file does."""
        return fingerprint([self.path])

    def _record(self, numbered: tuple[int, bytes]) -> Document | BadRecord:
        number, line = numbered
        try:
            letter = json.loads(line)
            source, place, reason, record = (letter[key] for key in ("source", "line", "reason", "record"))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{self.path}, line {number}: no dead letter of an ingest ({error!r})") from error
        found = next(read_json_lines([str(record).encode()], source, self.names, 0), None)
        if isinstance(found, Document):
            return found
        return BadRecord(source, place, reason if found is None else found.reason, record)


def open_letters(path: Path, options: ReaderOptions) -> DeadLetterFile:
    """Return the reader of a dead-letter file.

    Raises:
        InputError: There is no such file.
    """
    if not path.is_file():
        raise InputError(f"{str(path)!r} is no file: an ingest with bad records says where their dead letters are")
    return DeadLetterFile(path, Names.of(options))
