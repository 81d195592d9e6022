"""A search request as an engine's query body. Pure: text in, JSON out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

from prorank_search.backends.engines.analysis import SEARCHED, UNREAD
from prorank_search.backends.engines.connection import EngineName
from prorank_search.backends.engines.mappings import IndexMapping
from prorank_search.backends.engines.passages import COLLAPSED, best_of_each
from prorank_search.encodable import encodable
from prorank_search.errors import InputError
from prorank_search.passages import stored_id
from prorank_search.stored_documents import plain, wanted_facts
from prorank_search.types import Document, SearchRequest

PLACEHOLDER = "{{query}}"
MARKS = ("\ue000", "\ue001")
"""Around the words that match; characters of private use, which no text has."""

_PIECE = 1000
"""Characters of a query that one clause takes: an engine refuses more than 1,024 terms in one."""
_HIGHLIGHTED = 1_000_000
"""Characters of a text that are looked at for highlights: the engines' own limit."""
_HIGHLIGHTED_BY = {"opensearch": "max_analyzer_offset", "elasticsearch": "max_analyzed_offset"}
_OURS_ALONE = ("size", "from", "_source", "sort", "highlight", "search_after", "pit")
_NOT_WITH_PASSAGES = ("collapse", "rescore")


def body_of(request: SearchRequest, mapping: IndexMapping) -> dict[str, Any]:
    """Return the body that answers a request, for `_search` and `_msearch`.

    Raises:
        InputError: A field does not exist, or what the request or its own body say cannot be used with this index.
    """
    if request.top_k < 1:
        raise InputError(f"top_k is {request.top_k}: ask for at least 1 hit")
    own = _own_body(request)
    query = _filtered(request, mapping)
    read = UNREAD if mapping.ours else True
    body = {**own, "query": query, "size": request.top_k, "_source": read, "track_total_hits": False}
    if not mapping.in_passages:
        return body
    _require_fit_for_passages(request)
    return body | COLLAPSED


def passages_body(request: SearchRequest, mapping: IndexMapping, documents: Sequence[str]) -> dict[str, Any]:
    """Return the body that finds the best passages of documents, by their ids, that the request's own body found."""
    own = _own_body(request)
    those = [{"terms": {"parent_id": list(documents)}}]
    if "post_filter" in own:
        those.append(own.pop("post_filter"))  # what is counted up by document does not pass through it
    query = {"bool": {"must": [_filtered(request, mapping)], "filter": those}}
    return {**own, "query": query, "track_total_hits": False, **best_of_each(len(documents), request.passages_per_hit)}


def params_of(request: SearchRequest) -> dict[str, str | bool]:
    """Return how shards take part: all of them, each query's by the same copies, so that an answer can be repeated."""
    params: dict[str, str | bool] = {
        "allow_partial_search_results": False,
        "preference": f"q{crc32(request.query.text.encode(errors='replace')):x}",
    }
    return params | ({"search_type": "dfs_query_then_fetch"} if request.dfs else {})


def highlight_body(
    request: SearchRequest, mapping: IndexMapping, documents: Sequence[Document], engine: EngineName
) -> dict[str, Any]:
    """Return the body that marks the request's words in the given documents, as that engine takes it."""
    ids = [stored_id(document) for document in documents]
    path = request.source.doc_id if request.source else None
    those = {"terms": {mapping.exact(path): ids}} if path else {"ids": {"values": ids}}
    highlight = {
        "number_of_fragments": 0,
        "pre_tags": [MARKS[0]],
        "post_tags": [MARKS[1]],
        _HIGHLIGHTED_BY[engine]: _HIGHLIGHTED,
        "highlight_query": text_query(request, mapping),
        "fields": {name: {} for name in fields_of(request, mapping)},
    }
    return {"query": {"bool": {"filter": [those]}}, "size": len(ids), "_source": bool(path), "highlight": highlight}


def fields_of(request: SearchRequest, mapping: IndexMapping) -> Mapping[str, float]:
    """Return field to boost: what the request names, else title and text, as far as the index has them.

    Raises:
        InputError: A field does not exist, or a boost is negative.
    """
    fields = request.fields or {name: 1.0 for name in SEARCHED if name in mapping.fields}
    if not fields:
        raise InputError(
            f"index {mapping.index!r} has neither `title` nor `text`, and its profile names no fields: "
            f"`prorank profile guess {mapping.index}` writes one"
        )
    for name, boost in fields.items():
        mapping.field(name)
        if boost < 0:
            raise InputError(f"fields {dict(fields)} of index {mapping.index!r}: a boost is 0 or more")
    return fields


def text_query(request: SearchRequest, mapping: IndexMapping) -> dict[str, Any]:
    """Return the query for the text alone, without filter: each field's BM25, summed; or the request's own body's."""
    own = _own_body(request)
    if own:
        query: dict[str, Any] = own["query"]
        return query
    clauses = [
        _inside(mapping.field(name).nested, {"match": {name: _match(piece, boost)}})
        for name, boost in fields_of(request, mapping).items()
        for piece in _pieces(encodable(request.query.text))
    ]
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _filtered(request: SearchRequest, mapping: IndexMapping) -> dict[str, Any]:
    query = text_query(request, mapping)
    if not request.filter:
        return query
    if mapping.ours:
        conditions: list[dict[str, Any]] = [{"terms": {"facts": of_key}} for of_key in wanted_facts(request.filter)]
    else:
        conditions = [_condition(name, value, mapping) for name, value in request.filter.items()]
    return {"bool": {"must": [query], "filter": conditions}}


def _condition(name: str, value: object, mapping: IndexMapping) -> dict[str, Any]:
    values = value if isinstance(value, list | tuple) else [value]
    exact = mapping.exact(name)
    wanted = [each if isinstance(each, bool | int | float) else plain(each) for each in values]
    return _inside(mapping.field(name).nested, {"terms": {exact: wanted}})


def _require_fit_for_passages(request: SearchRequest) -> None:
    taken = [name for name in _NOT_WITH_PASSAGES if name in (request.body or {})]
    if taken:
        raise InputError(
            f"the query body of index {request.index!r} has {', '.join(taken)}, and the index holds passages, "
            "of which a search makes documents by `collapse`: leave that out"
        )
    if request.source is not None:
        raise InputError(
            f"index {request.index!r} holds passages that prorank made, so its profile needs no `source`: leave it out"
        )


def _match(text: str, boost: float) -> dict[str, Any]:
    """Return a match; a name and its parts are alternatives, not a phrase, and a number's field takes no words."""
    return {"query": text, "boost": boost, "auto_generate_synonyms_phrase_query": False, "lenient": True}


def _inside(nested: Sequence[str], query: dict[str, Any]) -> dict[str, Any]:
    """Wrap a query for a field of nested objects: the best of them counts."""
    for path in reversed(nested):
        query = {"nested": {"path": path, "query": query, "score_mode": "max"}}
    return query


def _pieces(text: str) -> Iterator[str]:
    """Yield a query's text in pieces that an engine takes, cut between words where there is a place."""
    while len(text) > _PIECE:
        cut = text.rfind(" ", 0, _PIECE) + 1 or _PIECE
        yield text[:cut]
        text = text[cut:]
    yield text


def _own_body(request: SearchRequest) -> dict[str, Any]:
    if request.body is None:
        return {}
    body = dict(request.body) if "query" in request.body else {"query": request.body}
    taken = sorted(set(body) & set(_OURS_ALONE))
    if taken:
        raise InputError(f"the query body of index {request.index!r} has {', '.join(taken)}: leave that to us")
    filled = _filled(body, encodable(request.query.text))
    if filled == body:
        raise InputError(f"the query body of index {request.index!r} has no {PLACEHOLDER}, where the query's text goes")
    result: dict[str, Any] = filled
    return result


def _filled(value: Any, text: str) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, text)
    if isinstance(value, Mapping):
        return {key: _filled(each, text) for key, each in value.items()}
    return [_filled(each, text) for each in value] if isinstance(value, list | tuple) else value
