"""Which endpoint answers a request to the embedded indexes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import ProRankError
from prorank_search.query_dsl import SourceFilter, shown_part
from prorank_search.serving.embedded import catalog, documents, faults, searching
from prorank_search.serving.embedded.calls import Call, Reply, params_of
from prorank_search.serving.upstream import EngineAnswer, EngineRequest

Answering = Callable[[TantivyBackend, Call], Reply]

_READ = ("GET", "HEAD")
_ASK = ("GET", "POST")
_INDEX = r"(?P<index>[^/_][^/]*|_all)"
_ID = r"(?P<doc_id>.+)"
_ENDPOINTS = (
    "_search, _msearch, _count, _mget, _doc, _source, _mapping, _settings, _alias, _cat/indices and _cluster/health"
)
_WRITES = (
    *("_doc", "_create", "_update", "_bulk", "_delete_by_query", "_update_by_query", "_reindex"),
    *("_refresh", "_flush", "_forcemerge", "_alias", "_aliases", "_mapping", "_mappings", "_settings"),
    *("_open", "_close", "_rollover", "_shrink", "_split", "_clone"),
)


@dataclass(frozen=True, slots=True)
class _Route:
    """A path, the methods it is asked with, and who answers."""

    path: re.Pattern[str]
    methods: tuple[str, ...]
    endpoint: Answering


def _route(path: str, methods: tuple[str, ...], endpoint: Answering) -> _Route:
    return _Route(re.compile(f"{path}/?", re.DOTALL), methods, endpoint)


_ROUTES = (
    _route("", _READ, catalog.answer_root),
    _route(rf"/_cat/indices(?:/{_INDEX})?", _READ, catalog.answer_indices),
    _route(rf"/_cluster/health(?:/{_INDEX})?", _READ, catalog.answer_health),
    _route(rf"(?:/{_INDEX})?/_search", _ASK, searching.answer_search),
    _route(rf"(?:/{_INDEX})?/_msearch", _ASK, searching.answer_msearch),
    _route(rf"(?:/{_INDEX})?/_count", _ASK, searching.answer_count),
    _route(rf"(?:/{_INDEX})?/_mget", _ASK, documents.answer_mget),
    _route(rf"/{_INDEX}/_doc/{_ID}", _READ, documents.answer_doc),
    _route(rf"/{_INDEX}/_source/{_ID}", _READ, documents.answer_source),
    _route(rf"(?:/{_INDEX})?/_mappings?", _READ, catalog.answer_mapping),
    _route(rf"(?:/{_INDEX})?/_settings", _READ, catalog.answer_settings),
    _route(rf"(?:/{_INDEX})?/_alias", _READ, catalog.answer_aliases),
    _route(rf"/{_INDEX}", _READ, catalog.answer_index),
)


def answer_request(backend: TantivyBackend, request: EngineRequest) -> EngineAnswer:
    """Answer a request as OpenSearch would, faults included."""
    params = params_of(request.query)
    reply = _reply(backend, request, params)
    if reply.status == 200 and "filter_path" in params and isinstance(reply.body, dict):  # noqa: PLR2004 (HTTP)
        reply = Reply(shown_part(reply.body, _filter(params["filter_path"])))
    return _engine_answer(reply, empty=request.method == "HEAD", indented=params.get("pretty", "false") != "false")


def _reply(backend: TantivyBackend, request: EngineRequest, params: dict[str, str]) -> Reply:
    found = [(route, match) for route in _ROUTES if (match := route.path.fullmatch(request.path))]
    for route, match in found:
        if request.method in route.methods:
            groups = match.groupdict()
            call = Call(request.path, groups.get("index"), groups.get("doc_id", ""), params, request.body)
            try:
                return route.endpoint(backend, call)
            except ProRankError as error:
                return faults.reply_of(error)
    if _writes(request):
        return faults.read_only(request.method, request.path)
    if found:
        allowed = sorted({method for route, _ in found for method in route.methods})
        return faults.wrong_method(request.method, request.path, allowed)
    return faults.no_handler(request.method, request.path, _ENDPOINTS)


def _writes(request: EngineRequest) -> bool:
    endpoint = next((part for part in request.path.split("/") if part.startswith("_")), None)
    return request.method not in _READ and (endpoint is None or endpoint in _WRITES)


def _filter(patterns: str) -> SourceFilter:
    parts = [part for part in patterns.split(",") if part]
    return SourceFilter(
        includes=tuple(part for part in parts if not part.startswith("-")),
        excludes=tuple(part[1:] for part in parts if part.startswith("-")),
    )


def _engine_answer(reply: Reply, *, empty: bool, indented: bool) -> EngineAnswer:
    if isinstance(reply.body, str):
        kind, text = "text/plain; charset=UTF-8", reply.body
    else:
        kind = "application/json; charset=UTF-8"
        text = json.dumps(reply.body, ensure_ascii=False, indent=2 if indented else None, allow_nan=False)
    return EngineAnswer(reply.status, {"content-type": kind}, b"" if empty else text.encode(errors="replace"))
