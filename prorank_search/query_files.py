"""Queries as one file: JSONL, CSV, or lines of an id, a tab and a text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from prorank_search.errors import InputError
from prorank_search.storage.tables import id_string, json_object, read_csv, read_lines, string, suffix_of
from prorank_search.types import Query

_ID_KEYS = ("_id", "query_id", "query-id", "id", "qid")
_TEXT_KEYS = ("text", "query", "title")
_JSON = {".jsonl", ".ndjson", ".json"}
_COLUMNS = 2


def read_queries(path: Path) -> dict[str, Query]:
    """Read queries by `query_id`, in file order; the name may end in `.gz`.

    A `.jsonl` line has the keys `_id` (or `query_id`, `id`) and `text` (or `query`); a `.csv` row and any other
    line (parted by its first tab) has the id and the text. A header line is skipped.

    Raises:
        InputError: The file is missing or empty, a line of it cannot be used, or an id stands twice.
    """
    queries: dict[str, Query] = {}
    for place, query in _queries(path):
        if query.query_id in queries:
            raise InputError(f"{place}: the query id {query.query_id!r} stands twice")
        queries[query.query_id] = query
    if not queries:
        raise InputError(f"{path} holds no query; lines of an id, a tab and a text are wanted")
    return queries


def written_queries(queries: Iterable[Query]) -> str:
    r"""Return queries as the text of a JSONL file, as BEIR has them.

    Example:
        >>> written_queries([Query("q1", "barking dog")])
        '{"_id": "q1", "text": "barking dog"}\n'
    """
    rows = ({"_id": query.query_id, "text": query.text} for query in queries)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _queries(path: Path) -> Iterator[tuple[str, Query]]:
    if suffix_of(path) in _JSON:
        yield from ((place, _from_json(place, line)) for place, line in read_lines(path))
        return
    for row, (place, cells) in enumerate(_rows(path)):
        if len(cells) != _COLUMNS:
            raise InputError(f"{place}: {len(cells)} columns; wanted are two, the query's id and its text")
        query_id, text = (cell.strip() for cell in cells)
        if row or query_id.lower() not in _ID_KEYS or text.lower() not in _TEXT_KEYS:
            yield place, Query(query_id, text)


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    if suffix_of(path) == ".csv":
        return read_csv(path)
    return ((place, line.split("\t", 1)) for place, line in read_lines(path))


def _from_json(place: str, line: str) -> Query:
    row = json_object(place, line)
    return Query(id_string(place, row, _key(row, _ID_KEYS)), string(place, row, _key(row, _TEXT_KEYS)))


def _key(row: dict[str, object], keys: tuple[str, ...]) -> str:
    """Return the key under which a row has its value; the usual one where it has none."""
    return next((key for key in keys if key in row), keys[0])
