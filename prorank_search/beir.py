"""The BEIR folder: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`, each plain or with `.gz` behind its name.

The layout of "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models"
(Thakur et al., 2021). Reading is strict: a line that cannot be used is an `InputError` with file and line.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from prorank_search.errors import InputError
from prorank_search.types import Document, Qrel, Query

_QRELS_COLUMNS = 3


def is_beir(folder: Path) -> bool:
    """Tell whether a folder holds a BEIR corpus."""
    return folder.is_dir() and _present(folder / "corpus.jsonl") is not None


def corpus_path(folder: Path) -> Path:
    """Return the folder's corpus file; a corpus file stands for itself.

    Raises:
        InputError: There is none.
    """
    return folder if folder.is_file() else _require(folder, "corpus.jsonl")


def read_corpus(folder: Path) -> Iterator[Document]:
    """Yield the documents in file order; keys other than `_id`, `title` and `text` go into `metadata`.

    An `_id` that is a whole number becomes its decimal string, as in an ingest.

    Raises:
        InputError: The corpus is missing, or a line of it cannot be used.
    """
    for place, row in _rows(corpus_path(folder)):
        title = "" if row.get("title") is None else _string(place, row, "title")
        yield Document(_id(place, row), _string(place, row, "text"), title, _metadata(place, row))


def read_queries(folder: Path) -> dict[str, Query]:
    """Return the queries of all splits by `query_id`, in file order.

    Raises:
        InputError: The queries are missing, or a line of them cannot be used.
    """
    queries = {}
    for place, row in _rows(_require(folder, "queries.jsonl")):
        query_id = _id(place, row)
        queries[query_id] = Query(query_id, _string(place, row, "text"))
    return queries


def splits(folder: Path) -> list[str]:
    """Return the names of the splits that have judgments, sorted."""
    names = (path.name.removesuffix(".gz") for path in (folder / "qrels").glob("*.tsv*"))
    return sorted({name.removesuffix(".tsv") for name in names if name.endswith(".tsv")})


def read_qrels(folder: Path, split: str) -> list[Qrel]:
    """Return the judgments of one split, in file order.

    Args:
        folder: The BEIR folder.
        split: Name of the file under `qrels`, such as "test".

    Raises:
        InputError: The folder or the split is missing (then the message names those that are there), or a line is
            of no use.
    """
    _require_folder(folder)
    path = _present(folder / "qrels" / f"{split}.tsv")
    if path is None:
        there = ", ".join(splits(folder)) or "none"
        message = f"no split {split!r} in {folder}: its qrels folder has {there}"
        raise InputError(message)
    return [
        _qrel(place, line)
        for number, (place, line) in enumerate(_lines(path))
        if number or not line.startswith("query-id")
    ]


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 text for reading, unpacking it where its name ends in `.gz`."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _present(path: Path) -> Path | None:
    candidates = (path, path.with_name(path.name + ".gz"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _require(folder: Path, name: str) -> Path:
    _require_folder(folder)
    path = _present(folder / name)
    if path is None:
        there = ", ".join(sorted(entry.name for entry in folder.iterdir())) or "nothing"
        message = f"no {name} or {name}.gz in {folder}, which holds: {there}"
        raise InputError(message)
    return path


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        message = f"no folder {folder}; a BEIR folder has corpus.jsonl, queries.jsonl and qrels/"
        raise InputError(message)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    return ((place, _row(place, line)) for place, line in _lines(path))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line that is not blank, with its place."""
    try:
        with open_text(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield f"{path}:{number}", line
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        message = f"{path} cannot be read to its end: {error}"
        raise InputError(message) from error


def _row(place: str, line: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as error:
        message = f"{place}: not JSON ({error})"
        raise InputError(message) from error
    if not isinstance(row, dict):
        message = f"{place}: not a JSON object, but {type(row).__name__}"
        raise InputError(message)
    return row


def _id(place: str, row: dict[str, object]) -> str:
    value = row.get("_id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _string(place, row, "_id")


def _string(place: str, row: dict[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        message = f"{place}: {key!r} must be a string, got {value!r}; the line has the keys {', '.join(row) or 'none'}"
        raise InputError(message)
    return value


def _metadata(place: str, row: dict[str, object]) -> dict[str, object]:
    own = row.get("metadata") or {}
    if not isinstance(own, dict):
        message = f"{place}: 'metadata' must be an object, got {own!r}"
        raise InputError(message)
    rest = {key: value for key, value in row.items() if key not in {"_id", "title", "text", "metadata"}}
    return {**rest, **own}


def _qrel(place: str, line: str) -> Qrel:
    columns = line.rstrip("\r\n").split("\t")
    if len(columns) != _QRELS_COLUMNS:
        message = f"{place}: {len(columns)} columns; query-id, corpus-id and score are wanted, with tabs between them"
        raise InputError(message)
    query_id, doc_id, score = columns
    try:
        return Qrel(query_id, doc_id, int(score))
    except ValueError as error:
        message = f"{place}: the score {score!r} is not a whole number"
        raise InputError(message) from error
