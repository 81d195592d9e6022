"""`_doc`, `_source` and `_mget`: documents by their ids."""

from __future__ import annotations

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.backends.tantivy.body_search import documents
from prorank_search.errors import ProRankError
from prorank_search.query_dsl import Node, SourceFilter, parse_source, shown_part
from prorank_search.serving.embedded.calls import OF_SHARDS, BadParameterError, Call, Reply
from prorank_search.serving.embedded.faults import fault_reply, reply_of
from prorank_search.serving.embedded.names import one_index
from prorank_search.serving.embedded.searching import source_param
from prorank_search.stored_documents import to_source
from prorank_search.types import Document

_OF_SOURCE = ("_source", "_source_includes", "_source_excludes")
_OF_DOC = ("_index", "_id", "_source", "routing")


def answer_doc(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_doc/ID`; 404 where there is no such document."""
    wanted = _source_filter(call)
    index = one_index(backend, call.index)
    found = documents(backend.reader(index), [call.doc_id]).get(call.doc_id)
    return Reply(_entry(index, call.doc_id, found, wanted), 404 if found is None else 200)


def answer_source(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_source/ID`: the document and nothing else."""
    wanted = _source_filter(call)
    index = one_index(backend, call.index)
    found = documents(backend.reader(index), [call.doc_id]).get(call.doc_id)
    if found is None:
        return fault_reply(404, "resource_not_found_exception", f"Document not found [{index}]/[{call.doc_id[:200]}]")
    return Reply(shown_part(to_source(found), wanted))


def answer_mget(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_mget`: one entry for each document that was asked for, in the same order."""
    wanted = _source_filter(call)
    top = Node(call.json()).options(("docs", "ids"))
    if len(top) != 1:
        raise BadParameterError("the body has to have `docs` or `ids`")
    asked = [_asked(each, call.index, wanted) for name, node in top.items() for each in _entries(name, node)]
    found = {pattern: _of_index(backend, pattern, asked) for pattern in {pattern for pattern, _, _ in asked}}
    return Reply({"docs": [_mget_entry(found[pattern], pattern, doc_id, own) for pattern, doc_id, own in asked]})


Wanted = tuple[str, str, SourceFilter]
"""Index, id and what is shown."""
Answered = tuple[str, dict[str, Document]] | ProRankError
"""The index's own name and its documents, or why there are none."""


def _entries(name: str, node: Node) -> list[Node]:
    members = node.members()
    return members if name == "docs" else [Node({"_id": each.text()}, each.path) for each in members]


def _asked(node: Node, pattern: str | None, wanted: SourceFilter) -> Wanted:
    options = node.options(_OF_DOC)
    if "_id" not in options:
        node.refuse("`_id` is missing")
    index = options["_index"].text() if "_index" in options else pattern
    if not index:
        node.refuse("`_index` is missing")
    own = parse_source(options["_source"]) if "_source" in options else wanted
    return index, str(options["_id"].scalar()), own


def _of_index(backend: TantivyBackend, pattern: str, asked: list[Wanted]) -> Answered:
    try:
        index = one_index(backend, pattern)
        ids = [doc_id for each, doc_id, _ in asked if each == pattern]
        return index, dict(documents(backend.reader(index), ids))
    except ProRankError as error:
        return error


def _mget_entry(found: Answered, pattern: str, doc_id: str, wanted: SourceFilter) -> object:
    if isinstance(found, ProRankError):
        body = reply_of(found).body
        cause = body["error"] if isinstance(body, dict) else body
        return {"_index": pattern, "_id": doc_id, "error": cause}
    index, by_id = found
    return _entry(index, doc_id, by_id.get(doc_id), wanted)


def _entry(index: str, doc_id: str, found: Document | None, wanted: SourceFilter) -> dict[str, object]:
    if found is None:
        return {"_index": index, "_id": doc_id, "found": False}
    entry: dict[str, object] = {
        "_index": index,
        "_id": doc_id,
        "_version": 1,
        "_seq_no": 0,
        "_primary_term": 1,
        "found": True,
    }
    return {**entry, "_source": shown_part(to_source(found), wanted)} if wanted.shown else entry


def _source_filter(call: Call) -> SourceFilter:
    call.check_params(*_OF_SOURCE, *OF_SHARDS)
    if not set(_OF_SOURCE) & set(call.params):
        return SourceFilter()
    return parse_source(Node(source_param(call), "_source"))
