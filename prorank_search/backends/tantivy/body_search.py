"""Searching an embedded index by a body in the engines' language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

import tantivy

from prorank_search.backends.tantivy.clause_queries import query_of, terms_of
from prorank_search.backends.tantivy.fragments import marked_fragments
from prorank_search.backends.tantivy.reader import Reader
from prorank_search.backends.tantivy.searching import best, best_parents, one_by_one, scores
from prorank_search.errors import InputError
from prorank_search.passages import parent_fact, whole_documents
from prorank_search.query_dsl import Clause, HighlightField, Ids, SearchBody
from prorank_search.types import Document, Hit

_AT_ONCE = 100
"""Hits that are looked at first where scores have to be compared to count them."""

Highlights = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        hits: The page that was asked for.
        highlights: Of each of them, field to fragments.
        total: Documents that match, counted as far as was asked for; None: not at all.
        exact: Whether there are no more of them.
        max_score: The best hit's, whatever page it is on; None where there is none, or no hit was asked for.
    """

    hits: tuple[Hit, ...]
    highlights: tuple[Highlights, ...]
    total: int | None
    exact: bool
    max_score: float | None


def search(reader: Reader, body: SearchBody) -> Found:
    """Return what a body asks for.

    Raises:
        InputError: The query cannot be answered.
        BackendError: The index cannot be read.
    """
    query = query_of(body.query, reader)
    searcher = reader.index.searcher()
    hits = _hits(reader, searcher, query, body)
    total = _total(reader, searcher, query, body)
    exact = total is None or body.count_up_to is None or total <= body.count_up_to
    page = tuple(hits[body.start :])
    return Found(
        hits=page,
        highlights=_highlights(reader, body, page),
        total=total if exact else body.count_up_to,
        exact=exact,
        max_score=hits[0].score if hits else None,
    )


def count(reader: Reader, clause: Clause) -> int:
    """Count the documents that match.

    Raises:
        InputError: The query cannot be answered.
        BackendError: The index cannot be read.
    """
    return _count(reader, reader.index.searcher(), query_of(clause, reader), None)


def documents(reader: Reader, doc_ids: Iterable[str]) -> Mapping[str, Document]:
    """Return documents by id, as far as they are there; in an index of passages whole ones, and passages by their own.

    Raises:
        BackendError: The index cannot be read.
    """
    wanted = tuple(dict.fromkeys(doc_ids))
    searcher = reader.index.searcher()
    found = [hit.document for hit in best(searcher, query_of(Ids(wanted), reader), searcher.num_docs)]
    by_id = {document.doc_id: document for document in found}
    parents = set(wanted)
    parts = [document for document in found if document.parent_id in parents]
    return by_id | {document.doc_id: document for document in whole_documents(parts)}


def _hits(reader: Reader, searcher: tantivy.Searcher, query: tantivy.Query, body: SearchBody) -> list[Hit]:
    """Return all hits up to the end of the page."""
    end = body.start + body.size
    if not body.size:
        return []
    hits = best_parents(searcher, query, end, 1) if reader.in_passages else best(searcher, query, end)
    if not all(math.isfinite(hit.score) for hit in hits):
        raise InputError("the boosts make scores that are no numbers any longer: choose smaller ones")
    return hits if body.min_score is None else [hit for hit in hits if hit.score >= body.min_score]


def _total(reader: Reader, searcher: tantivy.Searcher, query: tantivy.Query, body: SearchBody) -> int | None:
    """Count what matches; where that is more than is asked for, at least one more."""
    if body.count_up_to == 0:
        return None
    most = None if body.count_up_to is None else body.count_up_to + 1
    if body.min_score is None:
        return _count(reader, searcher, query, most)
    if not reader.in_passages:
        good = takewhile(body.min_score.__le__, scores(searcher, query, _AT_ONCE))
        return sum(1 for _ in islice(good, most))
    return _good_documents(searcher, query, body.min_score, most)


def _good_documents(searcher: tantivy.Searcher, query: tantivy.Query, min_score: float, most: int | None) -> int:
    """Count the documents that have a passage with such a score."""
    good = takewhile(lambda hit: hit.score >= min_score, one_by_one(searcher, query, _AT_ONCE))
    seen: set[str | None] = set()
    for hit in good:
        seen.add(hit.document.parent_id)
        if len(seen) == most:
            break
    return len(seen)


def _count(reader: Reader, searcher: tantivy.Searcher, query: tantivy.Query, most: int | None) -> int:
    if reader.in_passages:
        return len(searcher.terms_with_prefix("facts", parent_fact(""), query, most))
    found: Any = searcher.search(query, 1, count=True)
    return int(found.count)


def _highlights(reader: Reader, body: SearchBody, hits: Iterable[Hit]) -> tuple[Highlights, ...]:
    wanted = {name: _wanted(reader, body, name, how) for name, how in body.highlight.items()}
    return tuple(_highlight(reader, body, hit.document, wanted) for hit in hits)


def _wanted(reader: Reader, body: SearchBody, name: str, how: HighlightField) -> set[str]:
    """Return the terms that are marked in a field."""
    found = terms_of(how.query or body.query, reader.analysis)
    return {term for field, terms in found if field == name or not how.require_field_match for term in terms}


def _highlight(reader: Reader, body: SearchBody, document: Document, wanted: Mapping[str, set[str]]) -> Highlights:
    texts = {"title": document.title, "text": document.text}
    marked = {
        name: marked_fragments(texts[name], reader.highlighter.spans(texts[name], wanted[name]), how)
        for name, how in body.highlight.items()
    }
    return {name: fragments for name, fragments in marked.items() if fragments}
