"""The text of a query body: what a person typed, wherever the engine's query language has it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prorank_search.stored_documents import values_at

_BY_FIELD = ("match", "match_phrase", "match_phrase_prefix", "match_bool_prefix")
"""Clauses that have the text behind a field's name."""
_DIRECT = ("multi_match", "combined_fields", "query_string", "simple_query_string", "semantic")
"""Clauses that have it as their `query`."""
_INSIDE = {
    "bool": ("must", "should"),
    "dis_max": ("queries",),
    "hybrid": ("queries",),
    "boosting": ("positive",),
    "function_score": ("query",),
    "script_score": ("query",),
    "nested": ("query",),
    "has_child": ("query",),
    "has_parent": ("query",),
    "pinned": ("organic",),
    "neural": (),
}
"""Clauses that score by others; what only filters says nothing of what is searched for."""
_MOST_DEPTH = 20
_MOST_TEXTS = 256
_MOST_CHARACTERS = 10_000
"""Of several texts together, each of which is looked for in all others."""


def text_at(body: Mapping[str, Any], path: str) -> str:
    """Return the text at a path of a search body; empty where none is there.

    Example:
        >>> text_at({"query": {"match": {"text": {"query": "red fox"}}}}, "query.match.text.query")
        'red fox'
    """
    return next(values_at(body, path), "").strip()


def text_in(body: Mapping[str, Any]) -> str:
    """Return the text that a search body looks for; empty where it looks for none.

    Different texts of several clauses are joined, in their order; one that is part of another is left out. More than
    256 of them, or 10,000 characters in several, are nothing that a person typed, and count as none.

    Example:
        >>> must = [{"match": {"title": "fox"}}, {"multi_match": {"query": "red fox", "fields": ["text"]}}]
        >>> text_in({"query": {"bool": {"must": must, "filter": [{"match": {"kind": "animal"}}]}}})
        'red fox'
    """
    texts = list(dict.fromkeys(text.strip() for text in _texts(body.get("query"), _MOST_DEPTH)))
    if len(texts) > _MOST_TEXTS or (len(texts) > 1 and sum(map(len, texts)) > _MOST_CHARACTERS):
        return ""
    distinct = [text for text in texts if not any(text in other for other in texts if other != text)]
    return " ".join(distinct).strip()


def _texts(query: object, depth: int) -> Iterator[str]:
    if isinstance(query, list):
        for clause in query:
            yield from _texts(clause, depth - 1)
    if not isinstance(query, Mapping) or depth < 0:
        return
    for name, clause in query.items():
        if isinstance(clause, Mapping):
            yield from _own_texts(name, clause)
            for key in _INSIDE.get(name, ()):
                yield from _texts(clause.get(key), depth - 1)


def _own_texts(name: str, clause: Mapping[str, Any]) -> Iterator[str]:
    said: list[object] = []
    if name in _DIRECT:
        said = [clause.get("query")]
    elif name in _BY_FIELD:
        said = [value.get("query") if isinstance(value, Mapping) else value for value in clause.values()]
    elif name == "neural":
        said = [value.get("query_text") for value in clause.values() if isinstance(value, Mapping)]
    yield from (text for text in said if isinstance(text, str))
