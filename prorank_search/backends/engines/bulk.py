"""What the answers to bulk requests mean, how large the next one is, and what a document is sent as. Pure.

A document is written with a version of its own (`version_type: external_gte`), which grows with each write. A request
that was given up and arrives later all the same, or twice, or after a newer one, changes nothing then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import orjson

from prorank_search.backends.engines.analysis import source_of
from prorank_search.backends.engines.connection import RETRIED
from prorank_search.backends.engines.passages import source_of_passage
from prorank_search.errors import InputError
from prorank_search.stored_documents import check_id
from prorank_search.types import Document

ItemOutcome = Literal["done", "again", "refused", "stop"]
"""It is in; try it again; it can never be in; the run must stop, since no document would get in."""

FAULTS_TAKEN = 3
"""Attempts after which a document at which the engine fails (status 500) is refused."""

_STOP_STATUS = (401, 403)
_STOP_TYPES = {
    "cluster_block_exception": "nothing can be written there: mostly a disk is nearly full (flood stage) or the index "
    "is read-only; make room, set `index.blocks.read_only_allow_delete` to null",
    "index_not_found_exception": "the index was deleted meanwhile",
    "index_closed_exception": "the index was closed meanwhile",
}
_PLAIN = {
    "mapper_parsing_exception": "a value does not fit the type of its field",
    "document_parsing_exception": "a value does not fit the type of its field",
    "strict_dynamic_mapping_exception": "it has a field that the mapping does not know, and the mapping is strict",
    "version_conflict_engine_exception": "the index holds a version from the future, so a clock is wrong somewhere",
    "too_large": "it is larger than the server takes (`http.max_content_length`)",
}
_CURRENT = re.compile(r"current version \[(\d+)\]")
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_TEXT = json.JSONEncoder(ensure_ascii=False).encode


class Row(NamedTuple):
    """One document's part of a bulk request.

    Attributes:
        doc_id: The document.
        body: What to do with it, and its source, as JSON lines.
    """

    doc_id: str
    body: bytes


class Refusal(NamedTuple):
    """Why a document is not in the index.

    Attributes:
        reason: In plain words, then in the engine's.
        error_type: The engine's own word for it; empty: we refused it ourselves.
        status: The engine's status; None: we refused it ourselves.
        attempts: How often it was sent.
    """

    reason: str
    error_type: str = ""
    status: int | None = None
    attempts: int = 0


class Verdict(NamedTuple):
    """What became of one document of a bulk request."""

    outcome: ItemOutcome
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """How much goes into one bulk request: it halves where the server has too much to do, and grows back."""

    documents: int = 1000
    size_bytes: int = 5_000_000

    def halved(self) -> ChunkSize:
        """Return half of it, one document at least.

        Example:
            >>> ChunkSize(5, 1000).halved()
            ChunkSize(documents=2, size_bytes=500)
        """
        return ChunkSize(max(1, self.documents // 2), max(1, self.size_bytes // 2))

    def grown(self, largest: ChunkSize) -> ChunkSize:
        """Return a quarter more, `largest` at most.

        Example:
            >>> ChunkSize(2, 500).grown(ChunkSize(5, 1000)), ChunkSize(5, 990).grown(ChunkSize(5, 1000))
            (ChunkSize(documents=3, size_bytes=625), ChunkSize(documents=5, size_bytes=1000))
        """
        return ChunkSize(
            min(largest.documents, self.documents + 1 + self.documents // 4),
            min(largest.size_bytes, self.size_bytes + max(1, self.size_bytes // 4)),
        )

    def full(self, documents: int, size_bytes: int) -> bool:
        """Tell whether a request of so much is large enough to be sent."""
        return documents >= self.documents or size_bytes >= self.size_bytes


def index_row(document: Document, version: int, *, in_passages: bool = False) -> Row:
    r"""Return what adds a document, or replaces it.

    Args:
        document: The document.
        version: Of the write: later ones have larger ones.
        in_passages: It goes into an index of passages.

    Raises:
        InputError: Its id cannot be one, or it cannot be sent as JSON.

    Example:
        >>> index_row(Document("7", "It barks."), 1).body.decode().splitlines()[1]
        '{"doc_id":"7","text":"It barks."}'
    """
    check_id(document.doc_id)
    try:
        source = source_of_passage(document, version) if in_passages else source_of(document)
        # where no metadata can hold numbers that it writes otherwise, orjson writes the same in an eighth of the time
        written = _ENCODE(source).encode() if document.metadata else orjson.dumps(source)
        body = b"%b\n%b\n" % (_action("index", document.doc_id, version).encode(), written)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"it cannot be sent as JSON: {error}") from error
    return Row(document.doc_id, body)


def delete_row(doc_id: str, version: int) -> Row:
    """Return what deletes a document.

    Raises:
        InputError: The id cannot be one.
    """
    check_id(doc_id)
    return Row(doc_id, f"{_action('delete', doc_id, version)}\n".encode())


def cut(rows: Iterable[Row], size: ChunkSize) -> list[list[Row]]:
    """Cut rows into requests.

    Example:
        >>> [len(chunk) for chunk in cut([Row("a", b"12"), Row("b", b"34"), Row("c", b"56")], ChunkSize(9, 3))]
        [2, 1]
    """
    chunks: list[list[Row]] = [[]]
    size_bytes = 0
    for row in rows:
        if size.full(len(chunks[-1]), size_bytes):
            chunks.append([])
            size_bytes = 0
        chunks[-1].append(row)
        size_bytes += len(row.body)
    return [chunk for chunk in chunks if chunk]


def judge(item: Mapping[str, Any], attempts: int, now: int) -> Verdict:
    """Tell what became of a document.

    Args:
        item: What the engine answered for it: `{"index": {"status": ..., "error": ...}}`.
        attempts: How often it was sent, this time included.
        now: The version that a write would have now: a larger one in the index comes from a clock that is ahead.

    Example:
        >>> judge({"index": {"status": 201}}, 1, 0).outcome
        'done'
        >>> judge({"index": {"status": 429, "error": {"type": "rejected_execution_exception"}}}, 1, 0).outcome
        'again'
    """
    answer = next(iter(item.values()))
    status, error = int(answer["status"]), answer.get("error") or {}
    error_type = str(error.get("type", ""))
    if not error:
        return Verdict("done")  # a delete of what is not there has status 404, and no error
    if status == 409 and _is_older(str(error.get("reason", "")), now):  # noqa: PLR2004 (conflict)
        return Verdict("done")
    refusal = Refusal(explained(error), error_type, status, attempts)
    if error_type in _STOP_TYPES or status in _STOP_STATUS:
        return Verdict("stop", refusal)
    if status in RETRIED or (status >= 500 and attempts < FAULTS_TAKEN):  # noqa: PLR2004 (the server's faults)
        return Verdict("again", refusal)
    return Verdict("refused", refusal)


def explained(error: Mapping[str, Any]) -> str:
    """Return what an engine says of a document that it does not take, in plain words before its own.

    Example:
        >>> explained({"type": "mapper_parsing_exception", "reason": "failed to parse field [year]",
        ...            "caused_by": {"reason": 'For input string: "x"'}})
        'a value does not fit the type of its field: failed to parse field [year]: For input string: "x"'
    """
    error_type = str(error.get("type", ""))
    plain = _PLAIN.get(error_type) or _STOP_TYPES.get(error_type)
    cause = error.get("caused_by") or {}
    parts = [plain or error_type, error.get("reason"), cause.get("reason")]
    return ": ".join(str(part) for part in parts if part)


def too_large(row: Row, attempts: int) -> Refusal:
    """Return why a document is refused that alone is more than the server takes at once."""
    return Refusal(f"{_PLAIN['too_large']}: {len(row.body):,} bytes", "too_large", 413, attempts)


def body_of(rows: Sequence[Row]) -> bytes:
    """Return the body of a request."""
    return b"".join([row.body for row in rows])


def _action(name: str, doc_id: str, version: int) -> str:
    return f'{{"{name}":{{"_id":{_TEXT(doc_id)},"version":{version},"version_type":"external_gte"}}}}'


def _is_older(reason: str, now: int) -> bool:
    """Tell whether a conflict only says that a newer write was there before."""
    current = _CURRENT.search(reason)
    return current is not None and int(current.group(1)) <= now
