"""Judgments as one file: TREC (4 columns), BEIR (3 columns with tabs) or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prorank_search.errors import InputError
from prorank_search.storage.tables import read_csv, read_lines, suffix_of
from prorank_search.types import Qrel

_BEIR_COLUMNS = 3
_TREC_COLUMNS = 4
_HEADER = {"query_id", "query", "_id", "id", "qid", "topic"}


def read_qrels(path: Path) -> list[Qrel]:
    """Read judgments, in file order; the name may end in `.gz`.

    The columns are query id, document id and relevance; four columns are TREC's, whose second one is not used.
    A header line is skipped. Columns are parted by commas in a `.csv` file, else by tabs or spaces.

    Raises:
        InputError: The file is missing or empty, or a line of it cannot be used.
    """
    qrels = [qrel for _, qrel in placed_qrels(path)]
    if not qrels:
        raise InputError(f"{path} holds no judgment; lines such as '1 0 doc7 1' (TREC) are wanted")
    return qrels


def placed_qrels(path: Path) -> Iterator[tuple[str, Qrel]]:
    """Yield each judgment with its place (`FILE:LINE`); `read_qrels` says what is read.

    Raises:
        InputError: The file is missing, or a line of it cannot be used.
    """
    for row, (place, cells) in enumerate(_rows(path)):
        if row or not _is_header(cells):
            yield place, _qrel(place, cells)


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    if suffix_of(path) == ".csv":
        yield from read_csv(path)
        return
    for place, line in read_lines(path):
        yield place, line.split("\t") if "\t" in line else line.split()


def _is_header(cells: list[str]) -> bool:
    return cells[0].strip().lower().replace("-", "_") in _HEADER and not _is_whole(cells[-1])


def _is_whole(text: str) -> bool:
    return text.strip().removeprefix("-").isdecimal()


def _qrel(place: str, cells: list[str]) -> Qrel:
    if len(cells) not in {_BEIR_COLUMNS, _TREC_COLUMNS}:
        raise InputError(
            f"{place}: {len(cells)} columns; wanted are query id, document id and relevance, "
            "or TREC's four (query id, 0, document id, relevance)"
        )
    query_id, doc_id, relevance = (cell.strip() for cell in (cells[0], *cells[-2:]))
    if not _is_whole(relevance):
        raise InputError(f"{place}: the relevance {relevance!r} is not a whole number")
    return Qrel(query_id, doc_id, int(relevance))
