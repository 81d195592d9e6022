"""Ranges over metadata: the facts of a key whose values lie between bounds.

Facts are texts, so each value that a key has in the index is compared: the time grows with different values, not with
documents.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

import tantivy

from prorank_search.query_dsl import Scalar
from prorank_search.stored_documents import plain

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_LONGEST_NUMBER = 64
_COMPARE: dict[str, Callable[..., bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def facts_between(searcher: tantivy.Searcher, key: str, bounds: Mapping[str, Scalar]) -> list[str]:
    """Return the facts of a key whose value is within bounds; without bounds, all of them."""
    prefix = f"{key}="
    facts = (fact for fact, _ in searcher.terms_with_prefix("facts", prefix))
    wanted = [(_COMPARE[name], plain(bound)) for name, bound in bounds.items()]
    return [fact for fact in facts if all(holds(compare, fact[len(prefix) :], bound) for compare, bound in wanted)]


def holds(compare: Callable[..., bool], value: str, bound: str) -> bool:
    """Compare two values: as numbers if both are, else as texts, which is right for dates as ISO 8601 writes them.

    Example:
        >>> holds(operator.gt, "10", "9.5"), holds(operator.gt, "2024-05-01", "2024-04-30")
        (True, True)
    """
    numbers = _number(value), _number(bound)
    return compare(*numbers) if None not in numbers else compare(value, bound)


def _number(text: str) -> int | float | None:
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    return float(text) if match.group(1) or match.group(2) else int(text)
