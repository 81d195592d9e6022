"""Passages on an engine: what stands of one in an index, and how documents are found by them and counted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prorank_search.backends.engines.analysis import UNREAD, WRITTEN, source_of
from prorank_search.passages import FIRST_FACT, is_first
from prorank_search.types import Document

DOCUMENTS: Mapping[str, Any] = {"match": {"facts": {"query": FIRST_FACT, "lenient": True}}}
"""Can be asked of an index of somebody else too, whose `facts` may be numbers: it finds nothing there."""

COLLAPSED: dict[str, Any] = {"collapse": {"field": "parent_id"}}
"""The clause by which a search finds documents, each by its best passage."""

_BY_DOCUMENT = "documents"
_BEST = "best"


def source_of_passage(passage: Document, stamp: int) -> dict[str, object]:
    """Return a passage as an index of ours takes it.

    Args:
        passage: The passage.
        stamp: When it is written: later writes have larger ones.

    Example:
        >>> source_of_passage(Document("fox#0", "It runs.", parent_id="fox", passage_offsets=(0, 8)), 17)["facts"]
        ['=first passage']
    """
    source: dict[str, Any] = {**source_of(passage), WRITTEN: stamp}
    return source | {"facts": [*source.get("facts", ()), FIRST_FACT]} if is_first(passage) else source


def counted(*, in_passages: bool) -> dict[str, Any] | None:
    """Return the body that has an index's documents counted; None: all that it holds."""
    return {"query": DOCUMENTS} if in_passages else None


def best_of_each(documents: int, passages_per_hit: int) -> dict[str, Any]:
    """Return the clauses by which a search gives the best passages of each document that it matches, and no hits.

    Args:
        documents: How many it can match: with fewer a shard would leave some out.
        passages_per_hit: How many passages of each.
    """
    best = {"top_hits": {"size": passages_per_hit, "_source": UNREAD}}
    by_document = {"terms": {"field": "parent_id", "size": documents}, "aggs": {_BEST: best}}
    return {"size": 0, "aggs": {_BY_DOCUMENT: by_document}}


def best_passages(answer: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Return what a search with these clauses found: id of a document to hits, the best first.

    Example:
        >>> bucket = {"key": "fox", "best": {"hits": {"hits": [{"_id": "fox#9"}]}}}
        >>> best_passages({"aggregations": {"documents": {"buckets": [bucket]}}})
        {'fox': [{'_id': 'fox#9'}]}
    """
    buckets = answer["aggregations"][_BY_DOCUMENT]["buckets"]
    return {bucket["key"]: bucket[_BEST]["hits"]["hits"] for bucket in buckets}


def best_of(hit: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the passages that a hit of a collapsed search stands for: the one that it was found by, then the next.

    The engine was asked for the next ones afterwards, when others may stand in the index.

    Example:
        >>> [each["_id"] for each in best_of({"_id": "fox#9"}, [{"_id": "fox#9"}, {"_id": "fox#0"}])]
        ['fox#9', 'fox#0']
    """
    return [hit, *(each for each in found if each["_id"] != hit["_id"])][: max(1, len(found))]
