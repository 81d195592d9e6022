"""A query set of the judgment store as something to measure with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prorank_search.errors import InputError
from prorank_search.evaluation.judged import judged_queries
from prorank_search.judgments import FILE_NAME, JudgmentStore
from prorank_search.types import Qrel, Query

PERSONS = "persons"
"""What stands in the place of a split: what persons judged, never what models proposed."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A query set with its judgments.

    Attributes:
        index: The index whose documents were judged.
        queries: All its queries by `query_id`.
        qrels: One judgment a document.
    """

    index: str
    queries: Mapping[str, Query]
    qrels: Sequence[Qrel]


def read_query_set(home: Path, name: str) -> JudgedSet:
    """Read a query set and what persons judged.

    Args:
        home: Where the judgment store is.
        name: Name of the set.

    Raises:
        InputError: There is no such set, or no query of it has a relevant document.
        ConfigError: The store cannot be used.
    """
    store = JudgmentStore(home / FILE_NAME)
    try:
        index = store.query_set(name).index
        qrels = store.qrels(name)
        if not judged_queries(qrels):
            raise InputError(f"no query of the set {name!r} has a relevant document yet: judge some (`prorank ui`)")
        return JudgedSet(index, store.queries(name), qrels)
    finally:
        store.close()
