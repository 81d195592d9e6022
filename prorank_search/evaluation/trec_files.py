"""TREC run files: `query_id Q0 doc_id rank score tag`, one line a hit."""

from __future__ import annotations

import gzip
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from prorank_search.errors import InputError
from prorank_search.storage.tables import read_lines
from prorank_search.types import RescoredHit, ScoredDoc

_COLUMNS = 6

STEP = 2.0**-22
"""Relative distance of two scores in a run file: trec_eval reads single precision and breaks ties by document id."""

Run = dict[str, list[ScoredDoc]]
"""Each query's documents by `query_id`, best first. The order is the truth; scores only have to agree with it."""


def run_of(query_id: str, hits: Sequence[RescoredHit]) -> list[ScoredDoc]:
    """Return one query's lines of a run: the hits with their presentation scores."""
    return [ScoredDoc(query_id, hit.document.doc_id, hit.score) for hit in hits]


def read_run(path: Path) -> Run:
    """Read a run file; the name may end in `.gz`.

    A query's documents are ordered by score; of equal scores the one that stands earlier in the file comes first.

    Raises:
        InputError: The file is missing or empty, a line of it cannot be used, or a document stands twice for a query.
    """
    run: Run = {}
    seen = set()
    for place, line in read_lines(path):
        scored = _scored(place, line)
        if scored[:2] in seen:
            raise InputError(f"{place}: the document {scored.doc_id!r} stands twice for query {scored.query_id!r}")
        seen.add(scored[:2])
        run.setdefault(scored.query_id, []).append(scored)
    if not run:
        raise InputError(f"{path} holds no hit; lines such as '1 Q0 doc7 1 12.5 bm25' are wanted")
    return {query_id: sorted(docs, key=lambda scored: -scored.score) for query_id, docs in run.items()}


def check_writable(path: Path) -> None:
    """Raise InputError where no run can be written to `path`: to be asked before hours of work, not after them."""
    try:
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"no run can be written to {path}: {error.strerror}") from error
    if path.is_dir():
        raise InputError(f"no run can be written to {path}: it is a folder")


def write_run(path: Path, run: Run, tag: str = "prorank") -> None:
    """Write a run file, all or nothing; packed where the name ends in `.gz`.

    Scores are written so that they fall strictly even in single precision: a tool that sorts keeps the list's order.

    Raises:
        InputError: The file cannot be written, or an id holds white space, which the format cannot express.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _create(draft, packed=path.suffix == ".gz") as file:
            for query_id, docs in run.items():
                file.writelines(lines_of(query_id, docs, tag))
        draft.replace(path)
    except OSError as error:
        raise InputError(f"the run cannot be written to {path}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def presented(scores: Iterable[float]) -> list[float]:
    """Lower scores where they must be, so that they fall strictly in single precision too.

    Example:
        >>> presented([2.0, 2.0, 1.0])
        [2.0, 1.9999995231628418, 1.0]
    """
    shown: list[float] = []
    for score in scores:
        ceiling = shown[-1] - STEP * max(abs(shown[-1]), 1.0) if shown else math.inf
        shown.append(min(score, ceiling))
    return shown


def _create(path: Path, *, packed: bool) -> TextIO:
    return gzip.open(path, "wt", encoding="utf-8") if packed else path.open("w", encoding="utf-8")


def lines_of(query_id: str, docs: Sequence[ScoredDoc], tag: str) -> list[str]:
    """Return a query's lines of a run file.

    Args:
        query_id: The query.
        docs: Its documents, best first.
        tag: Name of the system; its spaces become hyphens.

    Raises:
        InputError: An id holds white space.
    """
    for name in (query_id, *(scored.doc_id for scored in docs)):
        if len(name.split()) != 1:
            raise InputError(f"the id {name!r} cannot stand in a TREC run file: its columns are parted by white space")
    tag = "-".join(tag.split())
    scores = presented(scored.score for scored in docs)
    return [
        f"{query_id} Q0 {scored.doc_id} {rank} {score:.9g} {tag}\n"
        for rank, (scored, score) in enumerate(zip(docs, scores, strict=True), start=1)
    ]


def _scored(place: str, line: str) -> ScoredDoc:
    columns = line.split()
    if len(columns) != _COLUMNS:
        raise InputError(f"{place}: {len(columns)} columns; wanted are six: query_id Q0 doc_id rank score tag")
    try:
        score = float(columns[4])
    except ValueError as error:
        raise InputError(f"{place}: the score {columns[4]!r} is not a number") from error
    if not math.isfinite(score):
        raise InputError(f"{place}: the score {columns[4]!r} is not finite")
    return ScoredDoc(columns[0], columns[2], score)
