"""Pools: the hits that a query's judges look at, whichever systems found them, in an order that gives nothing away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prorank_search.types import Document, RescoredHit


@dataclass(frozen=True, slots=True)
class Pooled:
    """A hit to be judged.

    Attributes:
        document: The document as it was found.
        ranks: Its rank, from 1, in each system that found it.
        highlights: Words of it that matched the query.
    """

    document: Document
    ranks: Mapping[str, int]
    highlights: tuple[str, ...] = ()


def pool(rankings: Mapping[str, Sequence[RescoredHit]], depth: int) -> list[Pooled]:
    """Gather the first hits of several systems for one query, each document once.

    Args:
        rankings: Each system's hits, by its name.
        depth: Hits of each system that are judged.

    Example:
        >>> fox, owl = (RescoredHit(Document(name, ""), 1.0, 1, 1, 1.0) for name in ("fox", "owl"))
        >>> [(one.document.doc_id, one.ranks) for one in pool({"BM25": [fox], "model": [owl, fox]}, depth=2)]
        [('fox', {'BM25': 1, 'model': 2}), ('owl', {'model': 1})]
    """
    ranks: dict[str, dict[str, int]] = {}
    hits: dict[str, RescoredHit] = {}
    for system, ranking in rankings.items():
        for rank, hit in enumerate(ranking[:depth], start=1):
            doc_id = hit.document.doc_id
            ranks.setdefault(doc_id, {})[system] = rank
            if doc_id not in hits or not hits[doc_id].highlights:
                hits[doc_id] = hit
    return [Pooled(hit.document, ranks[doc_id], hit.highlights) for doc_id, hit in hits.items()]


def shuffled(doc_ids: Iterable[str], query_id: str, judge: str) -> list[str]:
    """Return documents in a random order that is always the same for the same judge and query.

    Two documents keep their order when others come into the pool.

    Example:
        >>> shuffled(["a", "b", "c", "d"], "q1", "ada") == shuffled(["d", "c", "b", "a"], "q1", "ada")
        True
        >>> shuffled(["a", "b", "c", "d"], "q1", "ada") == shuffled(["a", "b", "c", "d"], "q1", "bo")
        False
    """
    start = hashlib.sha256(f"{len(judge)} {judge} {len(query_id)} {query_id} ".encode("utf-8", "surrogatepass"))

    def place(doc_id: str) -> bytes:
        number = start.copy()
        number.update(doc_id.encode("utf-8", "surrogatepass"))
        return number.digest()

    return sorted(doc_ids, key=place)
