"""Passages on an engine: what stands of one in an index, and how documents are found by them and counted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prorank_search.backends.engines.analysis import UNREAD, WRITTEN, source_of
from prorank_search.passages import FIRST_FACT, is_first
from prorank_search.types import Document

DOCUMENTS: Mapping[str, Any] = {"match": {"facts": {"query": FIRST_FACT, "lenient": True}}}
"""Can be asked of an index of somebody else too, whose `facts` may be numbers: it finds nothing there."""

_INNER = "passages"


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


def collapsed(passages_per_hit: int) -> dict[str, Any]:
    """Return the clauses by which a search finds documents, each by its best passage and with so many of them."""
    collapse: dict[str, Any] = {"field": "parent_id"}
    if passages_per_hit > 1:
        collapse["inner_hits"] = {"name": _INNER, "size": passages_per_hit, "_source": UNREAD}
    return {"collapse": collapse}


def best_of(hit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a collapsed search found of a document: the passage that it was found by, then the next ones.

    The engine looks for the next ones afterwards, when others may stand in the index.

    Example:
        >>> inner = {"passages": {"hits": {"hits": [{"_id": "fox#9"}, {"_id": "fox#0"}]}}}
        >>> [found["_id"] for found in best_of({"_id": "fox#9", "inner_hits": inner})]
        ['fox#9', 'fox#0']
    """
    inner = hit["inner_hits"][_INNER]["hits"]["hits"] if "inner_hits" in hit else []
    return [hit, *(each for each in inner if each["_id"] != hit["_id"])][: max(1, len(inner))]
