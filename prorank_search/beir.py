"""The BEIR folder: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`, each plain or with `.gz` behind its name.

The layout of "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models"
(Thakur et al., 2021). Reading is strict: a line that cannot be used is an `InputError` with file and line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prorank_search import qrels_files, query_files
from prorank_search.errors import InputError
from prorank_search.storage.tables import id_string, json_object, read_lines, string
from prorank_search.types import Document, Qrel, Query


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
    for place, line in read_lines(corpus_path(folder)):
        row = json_object(place, line)
        title = "" if row.get("title") is None else string(place, row, "title")
        yield Document(id_string(place, row, "_id"), string(place, row, "text"), title, _metadata(place, row))


def read_queries(folder: Path) -> dict[str, Query]:
    """Return the queries of all splits by `query_id`, in file order.

    Raises:
        InputError: The queries are missing, a line of them cannot be used, or an id stands twice.
    """
    return query_files.read_queries(_require(folder, "queries.jsonl"))


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
        InputError: The folder or the split is missing, or a line is of no use.
    """
    return qrels_files.read_qrels(qrels_path(folder, split))


def qrels_path(folder: Path, split: str) -> Path:
    """Return the file of one split's judgments.

    Raises:
        InputError: The folder or the split is missing; then the message names those that are there.
    """
    _require_folder(folder)
    path = _present(folder / "qrels" / f"{split}.tsv")
    if path is None:
        there = ", ".join(splits(folder)) or "none"
        message = f"no split {split!r} in {folder}: its qrels folder has {there}"
        raise InputError(message)
    return path


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


def _metadata(place: str, row: dict[str, object]) -> dict[str, object]:
    own = row.get("metadata") or {}
    if not isinstance(own, dict):
        message = f"{place}: 'metadata' must be an object, got {own!r}"
        raise InputError(message)
    rest = {key: value for key, value in row.items() if key not in {"_id", "title", "text", "metadata"}}
    return {**rest, **own}
