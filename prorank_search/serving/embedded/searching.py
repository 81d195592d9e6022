"""`_search`, `_msearch` and `_count`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.backends.tantivy.body_search import Found, count, search
from prorank_search.errors import InputError, ProRankError
from prorank_search.query_dsl import SearchBody, parse_count, parse_search, shown_part
from prorank_search.serving.embedded.calls import (
    CHOOSING_INDEXES,
    OF_SHARDS,
    BadParameterError,
    Call,
    Reply,
    check_keys,
    read_json,
)
from prorank_search.serving.embedded.faults import reply_of
from prorank_search.serving.embedded.names import one_index
from prorank_search.stored_documents import to_source
from prorank_search.types import Hit

ONE_SHARD = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}

_IN_BODY = ("from", "size", "track_total_hits", "track_scores")
_OF_SOURCE = ("_source", "_source_includes", "_source_excludes")
_WITHOUT_EFFECT = (
    *CHOOSING_INDEXES,
    *OF_SHARDS,
    "allow_partial_search_results",
    "batched_reduce_size",
    "ccs_minimize_roundtrips",
    "max_concurrent_searches",
    "max_concurrent_shard_requests",
    "pre_filter_shard_size",
    "request_cache",
    "search_type",
    "typed_keys",
)
_OF_HEADER = ("index", *_WITHOUT_EFFECT)


def answer_search(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_search`."""
    call.check_params(*_IN_BODY, *_OF_SOURCE, "sort", *_WITHOUT_EFFECT)
    body = parse_search(_with_params(call))
    return Reply(_found(backend, call.index, body))


def answer_msearch(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_msearch`: each search by itself, one that fails with its own fault."""
    call.check_params(*_WITHOUT_EFFECT)
    started = time.monotonic()
    responses = [_one(backend, call.index, header, body) for header, body in _pairs(call.body)]
    return Reply({"took": _milliseconds(started), "responses": responses})


def answer_count(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_count`."""
    call.check_params(*CHOOSING_INDEXES, *OF_SHARDS)
    clause = parse_count(call.json())
    reader = backend.reader(one_index(backend, call.index))
    return Reply({"count": count(reader, clause), "_shards": ONE_SHARD})


def _found(backend: TantivyBackend, pattern: str | None, body: SearchBody) -> dict[str, object]:
    started = time.monotonic()
    index = one_index(backend, pattern)
    return _answer(index, body, search(backend.reader(index), body), _milliseconds(started))


def _answer(index: str, body: SearchBody, found: Found, took: int) -> dict[str, object]:
    total = {} if found.total is None else {"total": {"value": found.total, "relation": "eq" if found.exact else "gte"}}
    hits = [_hit(index, body, *each) for each in zip(found.hits, found.highlights, strict=True)]
    return {
        "took": took,
        "timed_out": False,
        "_shards": ONE_SHARD,
        "hits": {**total, "max_score": found.max_score, "hits": hits},
    }


def _hit(index: str, body: SearchBody, hit: Hit, highlights: Mapping[str, list[str]]) -> dict[str, object]:
    shown: dict[str, object] = {"_index": index, "_id": hit.document.doc_id, "_score": hit.score}
    if body.source.shown:
        shown["_source"] = shown_part(to_source(hit.document), body.source)
    return {**shown, "highlight": highlights} if highlights else shown


def _with_params(call: Call) -> object:
    """Return the body, with what the query string says in its place."""
    body = call.json()
    said: dict[str, object] = {name: call.params[name] for name in _IN_BODY if name in call.params}
    if "sort" in call.params:
        said["sort"] = [_order(part) for part in call.names("sort")]
    if any(name in call.params for name in _OF_SOURCE):
        said["_source"] = source_param(call)
    if not said or not isinstance(body, dict | None):
        return body
    return {**(body or {}), **said}


def source_param(call: Call) -> object:
    """Return what the query string says of `_source`, as a body would say it."""
    if call.params.get("_source") in ("true", "false") and len(set(_OF_SOURCE) & set(call.params)) == 1:
        return call.params["_source"] == "true"
    includes = [] if call.params.get("_source") == "true" else list(call.names("_source"))
    return {
        "includes": [*includes, *call.names("_source_includes")],
        "excludes": list(call.names("_source_excludes")),
    }


def _order(part: str) -> object:
    name, colon, order = part.partition(":")
    return {name: order} if colon else name


def _one(backend: TantivyBackend, pattern: str | None, header: object, body: object) -> object:
    try:
        found = _found(backend, _index_of(header, pattern), parse_search(body))
    except ProRankError as error:
        return reply_of(error).body
    return {**found, "status": 200}


def _index_of(header: object, pattern: str | None) -> str | None:
    if not isinstance(header, dict):
        raise BadParameterError("each search has two lines, and the first one has to be a JSON object, such as {}")
    check_keys(header, _OF_HEADER, "the header of a search")
    index = header.get("index")
    if index is None:
        return pattern
    names = index if isinstance(index, list) else [index]
    if not all(isinstance(name, str) for name in names):
        raise BadParameterError("`index` in the header of a search has to be a name or a list of names")
    return ",".join(names) or None


def _pairs(body: bytes) -> Iterator[tuple[object, object]]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) % 2 or not lines:
        raise BadParameterError("each search has two lines: a header such as {}, and its body")
    try:
        values = [read_json(line) for line in lines]
    except InputError as error:
        raise BadParameterError(f"a line cannot be read: {error}") from error
    return zip(values[::2], values[1::2], strict=True)


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
