"""Small tables of text: rows of a CSV or TSV file, each with the place it stands at."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from prorank_search.beir import open_text
from prorank_search.errors import InputError

_Row = TypeVar("_Row", str, list[str])


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
    yield from _opened(path, lambda lines: ((number, line.rstrip("\r\n")) for number, line in enumerate(lines, 1)))


def read_csv(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each row that is not blank of a comma-separated file, with its place; a cell may hold line ends in quotes.

    Raises:
        InputError: The file is missing, is not UTF-8, or a quote never ends.
    """
    yield from _opened(path, _csv_rows)


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(lines, strict=True)
    return ((rows.line_num, row) for row in rows)


def _opened(path: Path, rows_of: Callable[[Iterable[str]], Iterator[tuple[int, _Row]]]) -> Iterator[tuple[str, _Row]]:
    try:
        with open_text(path) as lines:
            for number, row in rows_of(lines):
                if "".join(row).strip():
                    yield f"{path}:{number}", row
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
