"""The dead-letter file: the records that could not be ingested, each with its place and the reason, as JSON Lines."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from prorank_ingest.records import as_record
from prorank_search.errors import ConfigError
from prorank_search.protocols import BadRecord
from prorank_search.types import Document

Letter = Mapping[str, object]
"""Where a record stood, what is wrong with it (`error_type`, `reason`, `status`, `attempts`), and the record."""

_LONGEST_RECORD = 100_000
"""A record that is no document may be a whole broken file: so much of it is kept."""


def new_path(home: Path, index: str) -> Path:
    """Return where the dead letters of a new run lie."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return home / "dead-letters" / f"{index}-{now}-{uuid4().hex[:6]}.jsonl"


def of_record(bad: BadRecord) -> Letter:
    """Return the dead letter of a record that the reader could not use."""
    return {
        "source": bad.source,
        "line": bad.line,
        "error_type": "bad_record",
        "reason": bad.reason,
        "status": None,
        "attempts": 0,
        "record": bad.record[:_LONGEST_RECORD],
    }


def of_document(source: str, document: Document, reason: str, details: Mapping[str, object]) -> Letter:
    """Return the dead letter of a document that the index does not take; its record is the whole document, as JSON."""
    return {
        "source": source,
        "line": None,
        "error_type": details.get("error_type") or "refused",
        "reason": reason,
        "status": details.get("status"),
        "attempts": details.get("attempts", 0),
        "record": json.dumps(as_record(document), ensure_ascii=False, default=str),
    }


class DeadLetters:
    """Appends to a dead-letter file, which is made when the first record comes."""

    def __init__(self, path: Path, length: int) -> None:
        """Go on with `path` at `length` bytes; what a killed run wrote behind them is cut off."""
        self._path = path
        self._length = length
        if path.exists():
            os.truncate(path, length)

    def write(self, letters: Sequence[Letter]) -> int:
        """Append letters durably; return the file's length in bytes.

        Raises:
            ConfigError: The file cannot be written.
        """
        if not letters:
            return self._length
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.writelines(map(_line, letters))
                file.flush()
                os.fsync(file.fileno())
                self._length = file.tell()
        except OSError as error:
            raise ConfigError(
                f"the dead letters cannot be written into {self._path} ({error}): is the disk full or read-only? Make "
                "room, then run the same command again"
            ) from error
        return self._length


def _line(letter: Letter) -> bytes:
    return json.dumps(letter, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
