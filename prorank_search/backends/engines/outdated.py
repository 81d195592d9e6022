"""Taking out passages of texts that documents had before.

A passage says when it was written, by the stamp that is its version as well: what is older than the passage that its
document begins with belongs to an earlier text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prorank_search.backends.engines import versions
from prorank_search.backends.engines.analysis import WRITTEN
from prorank_search.backends.engines.bulk import Row, delete_row
from prorank_search.backends.engines.connection import Engine, path

PARENTS_AT_ONCE = 5_000
"""Documents that one search is about."""
_PAGE = 1_000


def outdated(engine: Engine, target: versions.Target, stamps: Mapping[str, int]) -> Iterator[Row]:
    """Yield what deletes the passages that were written before their document's stamp.

    Sent twice, or late, it does no harm to a passage that was written after the stamp.

    Args:
        engine: The engine, which has answered for all that was written.
        target: The index.
        stamps: Id of a document to its stamp. Between the least stamp and its own nothing was written of a document.

    Raises:
        BackendError: The engine failed, or the index was deleted meanwhile.
    """
    versions.refresh(engine, target)
    those = [{"terms": {"parent_id": list(stamps)}}, {"range": {WRITTEN: {"lt": min(stamps.values())}}}]
    body: dict[str, Any] = {
        "query": {"bool": {"filter": those}},
        "size": _PAGE,
        "sort": [{"doc_id": "asc"}],
        "_source": False,
        "docvalue_fields": ["parent_id"],
        "track_total_hits": False,
    }
    while True:
        where = path(target.name, "_search")
        answer = versions.ask(engine, "POST", where, body, params={"allow_partial_search_results": False})
        found = answer["hits"]["hits"]
        for hit in found:
            yield delete_row(hit["_id"], stamps[hit["fields"]["parent_id"][0]])
        if len(found) < _PAGE:
            return
        body["search_after"] = found[-1]["sort"]
