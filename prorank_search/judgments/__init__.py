"""What people and models say about hits: the store, which hits are pooled for a judge, files in and out, proposals."""

from prorank_search.judgments.store import (
    FILE_NAME,
    GRADES,
    Judgment,
    JudgmentStore,
    Origin,
    QuerySet,
    query_id_of,
)

__all__ = ["FILE_NAME", "GRADES", "Judgment", "JudgmentStore", "Origin", "QuerySet", "query_id_of"]
