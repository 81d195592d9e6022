"""Queries with judgments: which ones count, a sample of them, and a query's own document."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from prorank_search.errors import InputError
from prorank_search.types import Qrel, Query

_SHOWN = 5


def judged_queries(qrels: Iterable[Qrel]) -> list[str]:
    """Return the queries that have at least one relevant document, in the order of their judgments.

    Example:
        >>> judged_queries([Qrel("a", "d1", 0), Qrel("b", "d1", 2)])
        ['b']
    """
    return list(dict.fromkeys(qrel.query_id for qrel in qrels if qrel.relevance > 0))


def sample(qrels: Sequence[Qrel], limit: int | None, seed: int = 0) -> list[Qrel]:
    """Return the judgments of `limit` judged queries; the same seed picks the same queries, whatever the file's order.

    Args:
        qrels: The judgments.
        limit: Queries wanted; None, or more than there are: all of them.
        seed: Of the choice.
    """
    judged = sorted(judged_queries(qrels))
    if limit is not None and limit < len(judged):
        judged = random.Random(seed).sample(judged, limit)
    chosen = set(judged)
    return [qrel for qrel in qrels if qrel.query_id in chosen]


def queries_of(qrels: Iterable[Qrel], queries: Mapping[str, Query]) -> list[Query]:
    """Return the judged queries with their texts.

    Raises:
        InputError: A judged query has no text.
    """
    judged = judged_queries(qrels)
    missing = [query_id for query_id in judged if query_id not in queries]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(judged)} judged queries have no text, such as {', '.join(missing[:_SHOWN])}: "
            "do the queries belong to these judgments?"
        )
    return [queries[query_id] for query_id in judged]


def own_documents(qrels: Iterable[Qrel]) -> set[str]:
    """Return the queries whose document of the same id is to be dropped: all but those it was judged relevant for.

    In some collections (ArguAna) the query is a document itself, and finding it is no achievement.
    """
    qrels = list(qrels)
    kept = {qrel.query_id for qrel in qrels if qrel.query_id == qrel.doc_id and qrel.relevance > 0}
    return set(judged_queries(qrels)) - kept
