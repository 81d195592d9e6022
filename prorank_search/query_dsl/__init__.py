"""The engines' query language: the part that the embedded index answers, as plain frozen values. Pure.

    body = parse_search({"query": {"match": {"text": "red fox"}}, "size": 5})       # InputError names what it refuses
    body.query                                                                      # Match(field="text", ...)

docs/embedded-dsl.md is the table of what is answered.
"""

from __future__ import annotations

from prorank_search.query_dsl.bodies import MAX_WINDOW, parse_count, parse_search
from prorank_search.query_dsl.clauses import (
    Bool,
    Clause,
    HighlightField,
    Ids,
    Match,
    MatchAll,
    Minimum,
    MultiMatch,
    Range,
    Scalar,
    SearchBody,
    SourceFilter,
    Term,
    Terms,
)
from prorank_search.query_dsl.nodes import Node, nearest
from prorank_search.query_dsl.source_filter import parse_source, shown_part

__all__ = [
    "MAX_WINDOW",
    "Bool",
    "Clause",
    "HighlightField",
    "Ids",
    "Match",
    "MatchAll",
    "Minimum",
    "MultiMatch",
    "Node",
    "Range",
    "Scalar",
    "SearchBody",
    "SourceFilter",
    "Term",
    "Terms",
    "nearest",
    "parse_count",
    "parse_search",
    "parse_source",
    "shown_part",
]
