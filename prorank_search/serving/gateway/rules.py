"""Which searches the engines' own `rescore` refuses, and so does ours; and which page a search wants. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from prorank_search.serving.gateway.request import Search

_DEFAULT_SIZE = 10


class Page(NamedTuple):
    """Which hits a search wants: from the first one (0-based) on, so many."""

    first: int
    size: int


def refusal(search: Search) -> str:
    """Return why a search cannot be rescored, in the engines' words where they have some; empty: it can.

    Example:
        >>> refusal(Search("books", '{"sort": ["year"]}')), refusal(Search("books", '{"sort": "_score"}'))
        ('Cannot use [sort] option in conjunction with [rescore].', '')
    """
    body, params = search.body, search.params
    refused = {
        "Cannot use [sort] option in conjunction with [rescore].": not (
            _by_score(body.get("sort")) and _by_score(_sort_of_url(params.get("sort")))
        ),
        "Cannot use [search_after] in conjunction with [rescore]: page with [from] and [size].": "search_after" in body,
        "Validation Failed: 1: using [rescore] is not allowed in a scroll context;": "scroll" in params,
        "Cannot use [filter_path] in conjunction with [rescore].": "filter_path" in params,
        "Cannot use [stored_fields] [_none_] in conjunction with [rescore].": "_none_"
        in (body.get("stored_fields"), params.get("stored_fields")),
        "Cannot use [format] other than json in conjunction with [rescore].": params.get("format", "json") != "json",
    }
    return next((reason for reason, applies in refused.items() if applies), "")


def page_of(search: Search) -> Page | None:
    """Return the page that a search wants; None where the engine has to say what is wrong with it.

    Example:
        >>> page_of(Search("books", '{"from": 20}', {"size": "5"})), page_of(Search("books", '{"size": -1}'))
        (Page(first=20, size=5), None)
    """
    first = _count(search, "from", 0)
    size = _count(search, "size", _DEFAULT_SIZE)
    return None if first is None or size is None else Page(first, size)


def _count(search: Search, key: str, default: int) -> int | None:
    value = search.params.get(key, search.body.get(key, default))
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None  # noqa: PLR2004
    return value if type(value) is int and 0 <= value < 2**31 else None


def _sort_of_url(sort: str | None) -> object:
    if sort is None:
        return None
    pairs = [part.partition(":") for part in sort.split(",")]
    return [{field: order or ("desc" if field == "_score" else "asc")} for field, _, order in pairs]


def _by_score(sort: object) -> bool:
    """Tell whether a search's `sort` is by `_score` alone, the best first."""
    keys = sort if isinstance(sort, list) else [sort]
    return len(keys) <= 1 and all(_is_score(key) for key in keys)


def _is_score(key: object) -> bool:
    if isinstance(key, Mapping) and list(key) == ["_score"]:
        how = key["_score"]
        return how == "desc" or (isinstance(how, Mapping) and how.get("order", "desc") == "desc")
    return key in (None, "_score")
