"""Every document of an index, as it was at one moment (a point in time, walked by `search_after`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prorank_search.backends.engines.analysis import UNREAD
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.backends.engines.hits import document_of
from prorank_search.backends.engines.mappings import IndexMapping
from prorank_search.types import Document, SourcePaths

PAGE = 1000
KEPT = "5m"
"""How long the engine keeps the moment after each page."""


def documents(engine: Engine, mapping: IndexMapping, source: SourcePaths | None = None) -> Iterator[Document]:
    """Yield every document of an index as it is when the first one is asked for, whatever is written meanwhile.

    Args:
        engine: The engine.
        mapping: What is known of the index.
        source: Where an index of somebody else keeps id, title and text.

    Raises:
        IndexNotFoundError: The index does not exist.
        BackendError: The engine failed, or the reader took more than five minutes over a page.
    """
    with _moment(engine, mapping.index) as moment:
        body: dict[str, Any] = {
            "size": PAGE,
            "sort": _order(engine, mapping),
            "track_total_hits": False,
            "_source": UNREAD if mapping.ours else True,
        }
        while True:
            body["pit"] = {"id": moment[-1], "keep_alive": KEPT}
            answer = engine.request("POST", "/_search", body, params={"allow_partial_search_results": False})
            found = answer["hits"]["hits"]
            for hit in found:
                yield document_of(hit, mapping, source)
            if len(found) < PAGE:
                return
            body["search_after"] = found[-1]["sort"]
            moment.append(answer.get("pit_id", moment[-1]))


def _order(engine: Engine, mapping: IndexMapping) -> list[dict[str, str]]:
    """Return an order in which no two documents are equal, the same in every walk as long as nothing is written.

    Elasticsearch does not sort by `_id`: there it is the order of the writes in each shard.
    """
    if mapping.ours:
        return [{"doc_id": "asc"}]
    return [{"_seq_no": "asc"}, {"_shard_doc": "asc"}] if engine.name == "elasticsearch" else [{"_id": "asc"}]


@contextmanager
def _moment(engine: Engine, index: str) -> Iterator[list[str]]:
    """Keep a moment of an index; the list's last element is its present name."""
    keep = {"keep_alive": KEPT}
    if engine.name == "opensearch":
        held = [engine.request("POST", path(index, "_search", "point_in_time"), params=keep)["pit_id"]]
    else:
        held = [engine.request("POST", path(index, "_pit"), params=keep)["id"]]
    try:
        yield held
    finally:
        if engine.name == "opensearch":
            engine.request("DELETE", "/_search/point_in_time", {"pit_id": held[-1:]})
        else:
            engine.request("DELETE", "/_pit", {"id": held[-1]})
