"""A body of `_search` or `_count` as what the embedded index is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prorank_search.query_dsl.clauses import Clause, MatchAll, SearchBody
from prorank_search.query_dsl.highlighting import parse_highlight
from prorank_search.query_dsl.nodes import Node
from prorank_search.query_dsl.queries import parse_query
from prorank_search.query_dsl.source_filter import parse_source

MAX_WINDOW = 10_000
"""Hits that can be paged through: the engines' own limit."""


def parse_search(body: object) -> SearchBody:
    """Read a body of `_search`.

    Args:
        body: As JSON has it; None: there was none.

    Raises:
        InputError: A key or a value that the embedded index does not answer, with its path.

    Example:
        >>> parse_search({"query": {"match_all": {}}, "size": 3}).size
        3
        >>> parse_search({"aggs": {}})
        Traceback (most recent call last):
        prorank_search.errors.InputError: aggs: the embedded index does not answer it; known are query, from, size, \
_source, highlight, track_total_hits, min_score, sort, track_scores
    """
    top = Node({} if body is None else body)
    options = top.options((*_READERS, *_WITHOUT_EFFECT))
    read = {name: reader(options[key]) for key, (name, reader) in _READERS.items() if key in options}
    for key, reader in _WITHOUT_EFFECT.items():
        if key in options:
            reader(options[key])
    search = SearchBody(**read)  # type: ignore[arg-type]
    if search.start + search.size > MAX_WINDOW:
        top.refuse(f"`from` + `size` is {search.start + search.size}, and {MAX_WINDOW} is the most")
    return search


def parse_count(body: object) -> Clause:
    """Read a body of `_count`, which has a query and nothing else.

    Raises:
        InputError: A key or a value that the embedded index does not answer, with its path.
    """
    options: Mapping[str, Node] = Node({} if body is None else body).options(("query",))
    return parse_query(options["query"]) if "query" in options else MatchAll()


def _count_up_to(node: Node) -> int | None:
    if isinstance(node.value, bool) or node.value in ("true", "false"):
        return None if node.flag() else 0
    return node.whole() or 0


def _by_score(node: Node) -> None:
    """Refuse every order but the one by score, the best first."""
    for each in node.one_or_more():
        name, order = each.only() if isinstance(each.value, dict) else (each.text(), None)
        if name != "_score":
            each.refuse("the embedded index sorts by _score alone")
        if order is not None:
            _descending(order)


def _descending(order: Node) -> None:
    if isinstance(order.value, dict):
        options = order.options(("order",))
        if "order" in options:
            options["order"].choice(("desc",))
    else:
        order.choice(("desc",))


_READERS: dict[str, tuple[str, Callable[[Node], object]]] = {
    "query": ("query", parse_query),
    "from": ("start", Node.whole),
    "size": ("size", Node.whole),
    "_source": ("source", parse_source),
    "highlight": ("highlight", parse_highlight),
    "track_total_hits": ("count_up_to", _count_up_to),
    "min_score": ("min_score", Node.number),
}
"""Key to the attribute that it sets, and how it is read."""
_WITHOUT_EFFECT: dict[str, Callable[[Node], object]] = {"sort": _by_score, "track_scores": Node.flag}
"""Keys that can ask for nothing but what is done anyway."""
