"""Running a query over an embedded index: its hits, the documents of passages, and how many documents there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tantivy

from prorank_search.backends.tantivy.fields import from_tantivy, schema, with_fact
from prorank_search.errors import BackendError
from prorank_search.passages import FIRST_FACT, parent_fact, parent_hit
from prorank_search.types import Hit

_PASSAGES_AT_ONCE = 2
"""Passages that are looked at first, for each document wanted."""


def best(searcher: tantivy.Searcher, query: tantivy.Query, limit: int) -> list[Hit]:
    """Return the best entries.

    Raises:
        BackendError: The index cannot be read.
    """
    return [_hit(searcher, *found) for found in _run(searcher, query, min(limit, searcher.num_docs))]


def addresses(searcher: tantivy.Searcher) -> Iterator[tantivy.DocAddress]:
    """Yield where the entries of an index are.

    Raises:
        BackendError: The index cannot be read.
    """
    return (address for _, address in _run(searcher, tantivy.Query.all_query(), searcher.num_docs))


def best_parents(searcher: tantivy.Searcher, query: tantivy.Query, top_k: int, passages_per_hit: int) -> list[Hit]:
    """Return the documents of the best passages, each with its own best ones.

    Args:
        searcher: Searches an index of passages.
        query: Scores passages.
        top_k: Documents wanted.
        passages_per_hit: Passages wanted of each.
    """
    first_of: dict[str | None, Hit] = {}
    for hit in one_by_one(searcher, query, top_k * _PASSAGES_AT_ONCE):
        first_of.setdefault(hit.document.parent_id, hit)
        if len(first_of) == top_k:
            break
    return [parent_hit(_with_next(searcher, query, hit, passages_per_hit)) for hit in first_of.values()]


def count_documents(searcher: tantivy.Searcher, *, in_passages: bool) -> int:
    """Return how many documents an index holds, whole ones or such as are cut into passages."""
    if not in_passages:
        total: int = searcher.num_docs
        return total
    firsts: Any = searcher.search(tantivy.Query.term_query(schema(), "facts", FIRST_FACT), 1, count=True)
    return int(firsts.count)


def holds(searcher: tantivy.Searcher, doc_id: str, *, in_passages: bool) -> bool:
    """Tell whether an index holds a document, whole or cut into passages."""
    field, value = ("facts", parent_fact(doc_id)) if in_passages else ("doc_id", doc_id)
    found: Any = searcher.search(tantivy.Query.term_query(schema(), field, value), 1, count=True)
    return bool(found.count)


def one_by_one(searcher: tantivy.Searcher, query: tantivy.Query, at_once: int) -> Iterator[Hit]:
    """Yield all entries that match, the best first, found in growing portions; read only as far as somebody asks.

    Raises:
        BackendError: The index cannot be read.
    """
    return (_hit(searcher, *found) for found in _ranked(searcher, query, at_once))


def scores(searcher: tantivy.Searcher, query: tantivy.Query, at_once: int) -> Iterator[float]:
    """Yield the scores of all entries that match, the best first, without reading the entries.

    Raises:
        BackendError: The index cannot be read.
    """
    return (score for score, _ in _ranked(searcher, query, at_once))


def _ranked(
    searcher: tantivy.Searcher, query: tantivy.Query, at_once: int
) -> Iterator[tuple[float, tantivy.DocAddress]]:
    start = 0
    at_once = min(at_once, searcher.num_docs + 1)  # tantivy makes room for as many
    while True:
        portion = _run(searcher, query, at_once, start)
        yield from portion
        if len(portion) < at_once:
            return
        start += at_once
        at_once *= 2


def _with_next(searcher: tantivy.Searcher, query: tantivy.Query, hit: Hit, wanted: int) -> list[Hit]:
    """Return a passage that is its document's best, and the next ones of that document."""
    parent_id = hit.document.parent_id
    if wanted == 1 or parent_id is None:
        return [hit]
    return best(searcher, with_fact(query, parent_fact(parent_id)), wanted)


def _hit(searcher: tantivy.Searcher, score: float, address: tantivy.DocAddress) -> Hit:
    return Hit(from_tantivy(searcher.doc(address)), score)


def _run(
    searcher: tantivy.Searcher, query: tantivy.Query, limit: int, start: int = 0
) -> list[tuple[float, tantivy.DocAddress]]:
    if not limit:
        return []
    try:
        hits: list[tuple[float, tantivy.DocAddress]] = searcher.search(query, limit, count=False, offset=start).hits
    except (ValueError, OSError) as error:
        message = f"the embedded index failed to answer: {error}"
        raise BackendError(message) from error
    return hits
