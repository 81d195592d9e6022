"""What the output of an ingest says: how far it is, its report, its dead letters. Pure, but for the files it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from prorank_search.errors import InputError
from prorank_search.jobs import Job, JobStatus
from prorank_ui.drawing.wording import count, duration

FINISHED_WITH_DEAD_LETTERS = 6
"""Exit code of `prorank ingest` where some records could not be used."""
_MOST_LETTERS = 100
_UPLOADS = re.compile(r"\S*/uploads/\d{8}-\d{6}-[0-9a-f]{6}/")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is.

    Attributes:
        documents: Documents that were read.
        docs_per_s: Of them, a second.
        bad_records: Records that became dead letters.
        share_read: Part of the source that was read, from 0 to 1; None where its size is not known.
    """

    documents: int
    docs_per_s: float
    bad_records: int
    share_read: float | None

    def in_words(self) -> str:
        """Return it as a line.

        Example:
            >>> Progress(12400, 812.4, 3, 0.5).in_words()
            '12,400 documents, 812 a second, 3 bad records'
        """
        bad = f", {count(self.bad_records, 'bad record')}" if self.bad_records else ""
        return f"{count(self.documents, 'document')}, {self.docs_per_s:,.0f} a second{bad}"


@dataclass(frozen=True, slots=True)
class Report:
    """How an ingest ended.

    Attributes:
        documents: Documents that went in.
        duplicates: Documents that a later one with the same id replaced.
        bad_records: Records that could not be used.
        dead_letters: The file that holds them; None where there are none.
        seconds: How long it took.
        docs_per_s: Documents read, a second.
    """

    documents: int
    duplicates: int
    bad_records: int
    dead_letters: Path | None
    seconds: float
    docs_per_s: float

    def in_words(self) -> str:
        """Return it as a line.

        Example:
            >>> Report(4, 2, 1, None, 0.25, 16.0).in_words()
            '4 documents in 250 ms, 16 a second, 2 replaced by a later one with the same id, 1 bad record'
        """
        twice = f", {self.duplicates:,} replaced by a later one with the same id" if self.duplicates else ""
        bad = f", {count(self.bad_records, 'bad record')}" if self.bad_records else ""
        took = duration(1000 * self.seconds)
        return f"{count(self.documents, 'document')} in {took}, {self.docs_per_s:,.0f} a second{twice}{bad}"


def progress(output: str) -> Progress | None:
    """Return the last progress that an output tells; None where it tells none.

    Example:
        >>> progress('{"documents": 7, "docs_per_s": 3.5, "bad_records": 0, "share_read": null}')
        Progress(documents=7, docs_per_s=3.5, bad_records=0, share_read=None)
    """
    for line in reversed(output.splitlines()):
        if line.startswith('{"documents"'):
            try:
                return Progress(**json.loads(line))
            except (ValueError, TypeError):
                continue
    return None


def report(output: str) -> Report | None:
    """Return the report at the end of an output; None where there is none."""
    _, begins, written = f"\n{output}".rpartition("\n{\n")
    try:
        said = json.loads(f"{{{written}") if begins else None
        if said is None:
            return None
        letters = Path(said["dead_letters"]) if said["dead_letters"] else None
        return Report(
            said["documents"], said["duplicates"], said["bad_records"], letters, said["seconds"], said["docs_per_s"]
        )
    except (ValueError, KeyError, TypeError):
        return None


def in_words_of_the_page(complaint: str) -> str:
    """Return a command's complaint with the page's fields for its flags, and uploads by their names alone.

    Example:
        >>> in_words_of_the_page("/h/uploads/20261124-183100-a1b2c3/a.csv has no id; say which with --id-column")
        'a.csv has no id; say which under “Details”, “ID column”'
    """
    for column in ("ID", "Title", "Text"):
        complaint = complaint.replace(f"with --{column.lower()}-column", f"under “Details”, “{column} column”")
    return _UPLOADS.sub("", complaint)


def ended_well(status: JobStatus) -> bool:
    """Tell whether an ingest did its work, bad records or not."""
    return status.exit_code in {0, FINISHED_WITH_DEAD_LETTERS}


def state_in_words(job: Job, status: JobStatus) -> str:
    """Return how a job is, in plain words."""
    if job.kind == "ingest" and status.exit_code == FINISHED_WITH_DEAD_LETTERS:
        return "finished, with bad records"
    return status.state


def dead_letters(path: Path, home: Path) -> list[Mapping[str, object]]:
    """Return the first dead letters of a file.

    Raises:
        InputError: The file is not one of this home's, or cannot be read.
    """
    folder = (home / "dead-letters").resolve()
    if not path.resolve().is_relative_to(folder):
        raise InputError(f"{path} does not lie in {folder}: it is not shown")
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return list(islice(_letters(lines), _MOST_LETTERS))
    except OSError as error:
        raise InputError(f"the dead letters in {path} cannot be read: {error}") from error


def _letters(lines: Iterable[str]) -> Iterator[Mapping[str, object]]:
    for line in lines:
        try:
            letter = json.loads(line)
        except ValueError:
            continue  # the last line of a run that is still writing
        if isinstance(letter, dict):
            yield letter
