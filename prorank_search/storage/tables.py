"""Small tables of text: the lines, rows and JSON objects of a file, each with the place it stands at."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from prorank_search.errors import InputError


def suffix_of(path: Path) -> str:
    """Return a file name's ending, looking through `.gz`.

    Example:
        >>> suffix_of(Path("qrels.csv.gz"))
        '.csv'
    """
    return Path(path.stem).suffix.lower() if path.suffix == ".gz" else path.suffix.lower()


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line that is not blank, with its place (`FILE:LINE`) and without its line end.

    Raises:
        InputError: The file is missing, is not UTF-8, or breaks off.
    """
    with _opened(path) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield f"{path}:{number}", line.rstrip("\r\n")


def read_csv(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each row that is not blank of a comma-separated file, with its place; a cell may hold line ends in quotes.

    Raises:
        InputError: The file is missing, is not UTF-8, or a quote never ends.
    """
    with _opened(path) as lines:
        rows = csv.reader(lines, strict=True)
        for row in rows:
            if "".join(row).strip():
                yield f"{path}:{rows.line_num}", row


def json_object(place: str, line: str) -> dict[str, object]:
    """Return the JSON object that stands on a line.

    Raises:
        InputError: There is none.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{place}: not a JSON object, but {type(row).__name__}")
    return row


def string(place: str, row: dict[str, object], key: str) -> str:
    """Return the string that stands under a key.

    Raises:
        InputError: There is none, or something else.
    """
    value = row.get(key)
    if not isinstance(value, str):
        keys = ", ".join(row) or "none"
        raise InputError(f"{place}: {key!r} must be a string, got {value!r}; the line has the keys {keys}")
    return value


def id_string(place: str, row: dict[str, object], key: str) -> str:
    """Return the id that stands under a key; a whole number becomes its decimal string, as in an ingest.

    Raises:
        InputError: There is none, or something else.
    """
    value = row.get(key)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else string(place, row, key)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            yield lines
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} cannot be read to its end: {error}") from error
