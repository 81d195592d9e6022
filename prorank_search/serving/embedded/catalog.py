"""What there is: `GET /`, `_cat/indices`, `_cluster/health`, an index with its mapping and settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.protocols import IndexInfo
from prorank_search.serving.embedded.calls import CHOOSING_INDEXES, Call, Reply
from prorank_search.serving.embedded.names import indexes_of

ANSWERS_AS = "2.19.1"
"""The OpenSearch whose read endpoints and answers these are."""

_NAME = "prorank-embedded"
_WORDS = ("title", "text")
_COLUMNS = (
    "health",
    "status",
    "index",
    "uuid",
    "pri",
    "rep",
    "docs.count",
    "docs.deleted",
    "store.size",
    "pri.store.size",
)
_BYTES = 1024


def answer_root(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `GET /`."""
    del backend
    call.check_params()
    version = {
        "distribution": "opensearch",
        "number": ANSWERS_AS,
        "build_type": "prorank",
        "build_hash": "unknown",
        "build_date": "unknown",
        "build_snapshot": False,
        "lucene_version": "9.12.1",
        "minimum_wire_compatibility_version": "7.10.0",
        "minimum_index_compatibility_version": "7.0.0",
    }
    tagline = "The embedded indexes of ProRank Search, answering as OpenSearch: https://opensearch.org/"
    return Reply({"name": _NAME, "cluster_name": _NAME, "cluster_uuid": _NAME, "version": version, "tagline": tagline})


def answer_indices(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_cat/indices`, as a table or, with `format=json`, as JSON."""
    call.check_params("h", "v", "s", "bytes", "health", "pri", "time", *CHOOSING_INDEXES)
    columns = [name for name in call.names("h") if name in _COLUMNS] or list(_COLUMNS)
    infos = [backend.describe(name) for name in indexes_of(backend, call.index)]
    rows = [_row(info, call.params.get("bytes")) for info in infos]
    shown = [{name: row[name] for name in columns} for row in rows]
    if call.params.get("format") == "json":
        return Reply(shown)
    lines = [[row[name] for name in columns] for row in shown]
    return Reply(_table([columns, *lines] if call.flag("v") else lines))


def answer_health(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_cluster/health`: what can be read is green."""
    call.check_params("level", "wait_for_status", "wait_for_nodes", "wait_for_active_shards", *CHOOSING_INDEXES)
    shards = len(indexes_of(backend, call.index))
    return Reply(
        {
            "cluster_name": _NAME,
            "status": "green",
            "timed_out": False,
            "number_of_nodes": 1,
            "number_of_data_nodes": 1,
            "discovered_master": True,
            "discovered_cluster_manager": True,
            "active_primary_shards": shards,
            "active_shards": shards,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": 0,
            "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0,
            "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": 100.0,
        }
    )


def answer_index(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `GET /INDEX`."""
    call.check_params("include_defaults", "flat_settings", *CHOOSING_INDEXES)
    infos = [backend.describe(name) for name in indexes_of(backend, call.index)]
    return Reply(
        {info.name: {"aliases": {}, "mappings": _mappings(info), "settings": _settings(info)} for info in infos}
    )


def answer_mapping(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_mapping`."""
    call.check_params(*CHOOSING_INDEXES)
    infos = [backend.describe(name) for name in indexes_of(backend, call.index)]
    return Reply({info.name: {"mappings": _mappings(info)} for info in infos})


def answer_settings(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_settings`."""
    call.check_params("include_defaults", "flat_settings", *CHOOSING_INDEXES)
    infos = [backend.describe(name) for name in indexes_of(backend, call.index)]
    return Reply({info.name: {"settings": _settings(info)} for info in infos})


def answer_aliases(backend: TantivyBackend, call: Call) -> Reply:
    """Answer `_alias`: embedded indexes have none."""
    call.check_params(*CHOOSING_INDEXES)
    return Reply({name: {"aliases": {}} for name in indexes_of(backend, call.index)})


def _mappings(info: IndexInfo) -> Mapping[str, object]:
    """Return the fields that queries can name, in the words of the indexes that we make on an engine."""
    return {
        "dynamic": "strict",
        "_meta": {"prorank": {"format": 1, "analysis": info.analysis, "created": info.created}},
        "properties": {
            "doc_id": {"type": "keyword"},
            **{name: {"type": "text", "analyzer": info.analysis} for name in _WORDS},
            "facts": {"type": "keyword"},
            "metadata": {"type": "flat_object"},
            "parent_id": {"type": "keyword"},
            "passage_offsets": {"type": "integer", "index": False, "doc_values": False},
        },
    }


def _settings(info: IndexInfo) -> Mapping[str, object]:
    created = round(datetime.fromisoformat(info.created).timestamp() * 1000)
    return {
        "index": {
            "creation_date": str(created),
            "number_of_shards": "1",
            "number_of_replicas": "0",
            "uuid": info.version,
            "provided_name": info.name,
            "blocks": {"write": "true"},
        }
    }


def _row(info: IndexInfo, unit: str | None) -> dict[str, str]:
    size = str(info.size_bytes) if unit == "b" else _size(info.size_bytes)
    cells = ("green", "open", info.name, info.version, "1", "0", str(info.documents), "0", size, size)
    return dict(zip(_COLUMNS, cells, strict=True))


def _size(size: float) -> str:
    for unit in ("b", "kb", "mb"):
        if size < _BYTES:
            return f"{size:.1f}".removesuffix(".0") + unit
        size /= _BYTES
    return f"{size:.1f}".removesuffix(".0") + "gb"


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "".join(f"{line}\n" for line in lines)
