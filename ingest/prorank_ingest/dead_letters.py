"""The dead-letter file: the records that could not be ingested, each with its place and the reason, as JSON Lines."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from prorank_search.protocols import BadRecord
from prorank_search.types import Document

_LONGEST_RECORD = 100_000


def new_path(home: Path, index: str) -> Path:
    """Return where the dead letters of a new run lie."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return home / "dead-letters" / f"{index}-{now}-{uuid4().hex[:6]}.jsonl"


def refused(source: str, document: Document, reason: str) -> BadRecord:
    """Return the dead letter of a document that the index does not take; its record can be ingested as JSON Lines."""
    record = {"_id": document.doc_id, "title": document.title, "text": document.text, "metadata": document.metadata}
    return BadRecord(source, None, reason, json.dumps(record, ensure_ascii=False, default=str))


class DeadLetters:
    """Appends to a dead-letter file, which is made when the first record comes."""

    def __init__(self, path: Path, length: int) -> None:
        """Go on with `path` at `length` bytes; what a killed run wrote behind them is cut off."""
        self._path = path
        self._length = length
        if path.exists():
            os.truncate(path, length)

    def write(self, records: list[BadRecord]) -> int:
        """Append records durably; return the file's length in bytes."""
        if records:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.writelines(map(_line, records))
                file.flush()
                os.fsync(file.fileno())
                self._length = file.tell()
        return self._length


def _line(bad: BadRecord) -> bytes:
    letter = {"source": bad.source, "line": bad.line, "reason": bad.reason, "record": bad.record[:_LONGEST_RECORD]}
    return json.dumps(letter, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
