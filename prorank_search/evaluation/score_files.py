"""The scores of a suite as files, one for each collection and rescorer: what stands there is not asked again.

So a suite can be measured in pieces, on several machines, or once more without the model's work. A file holds ids and
numbers, no texts; a digest of each query's texts tells whether its scores are still about them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from prorank_search.errors import InputError
from prorank_search.storage.whole_files import drop_broken_line, whole_lines
from prorank_search.types import ScoreRequest

_DIGITS = 9
"""Significant ones: all that a number of 32 bits has."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What one request was answered.

    Attributes:
        query_id: The query.
        digest: Of the request.
        scores: `doc_id` to score, in the order of the request's texts.
    """

    query_id: str
    digest: str
    scores: dict[str, float]


class ScoreFile:
    """One rescorer's scores of one collection's hits.

    Args:
        path: The file; what is asked later is added to it. None: nothing is known and nothing kept.
        revision: Of the rescorer whose scores they are.

    Raises:
        InputError: The file cannot be read, or holds another revision's scores.
    """

    def __init__(self, path: Path | None, revision: str) -> None:
        self._path = path
        self._revision = revision
        self._begun = False
        self._lines: dict[str, list[_Line]] = {}
        if path is not None and path.exists():
            self._read(path)

    def known(self, query_id: str, doc_ids: Sequence[str], request: ScoreRequest) -> dict[str, float]:
        """Return the scores that stand in the file for some of a request's texts.

        Args:
            query_id: The query.
            doc_ids: Of the documents whose texts the request holds, in its order.
            request: The request.
        """
        texts = dict(zip(doc_ids, request.texts, strict=True))
        found: dict[str, float] = {}
        for line in self._lines.get(query_id, []):
            if line.scores.keys() <= texts.keys() and line.digest == _digest(
                request, [texts[doc_id] for doc_id in line.scores]
            ):
                found |= line.scores
        return found

    def add(self, query_id: str, request: ScoreRequest, scores: Mapping[str, float]) -> None:
        """Write down what a request was answered.

        Args:
            query_id: The query.
            request: The request.
            scores: `doc_id` to score, in the order of the request's texts.

        Raises:
            InputError: It cannot be written.
        """
        if self._path is None:
            return
        rounded = {doc_id: float(f"{score:.{_DIGITS}g}") for doc_id, score in scores.items()}
        line = _Line(query_id, _digest(request, request.texts), rounded)
        first = [] if self._begun else [{"revision": self._revision}]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(each, ensure_ascii=False)}\n" for each in [*first, asdict(line)])
        except OSError as error:
            raise InputError(f"the scores cannot be written to {self._path}: {error}") from error
        self._begun = True
        self._lines.setdefault(query_id, []).append(line)

    def _read(self, path: Path) -> None:
        try:
            drop_broken_line(path)
            rows = [json.loads(line) for line in whole_lines(path)]
            revision = rows[0]["revision"] if rows else self._revision
            lines = [_Line(**row) for row in rows[1:]]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path} holds no scores that can be read: {error}") from error
        if revision != self._revision:
            raise InputError(
                f"{path} holds the scores of revision {revision!r}, and the rescorer is {self._revision!r} now: delete "
                "the file, or choose another folder with --scores"
            )
        self._begun = bool(rows)
        for line in lines:
            self._lines.setdefault(line.query_id, []).append(line)


def _digest(request: ScoreRequest, texts: Sequence[str]) -> str:
    said = json.dumps([request.instruction, request.query, *texts])
    return hashlib.sha256(said.encode()).hexdigest()[:16]
