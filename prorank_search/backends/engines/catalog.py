"""The indexes of an engine: ours by the alias that shows them, those of others by their own name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from prorank_search.backends.engines import versions
from prorank_search.backends.engines.analysis import MARK, PREVIOUS
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.backends.engines.passages import DOCUMENTS
from prorank_search.protocols import IndexInfo

NOT_OURS = "not ours"
"""Stands for the analysis of an index that somebody else built."""

_COLUMNS = "index,docs.count,store.size,creation.date.string"


class _Count(NamedTuple):
    """How much an index holds: entries, and documents that it holds the first passages of."""

    entries: int
    in_passages: int


class _Kept(NamedTuple):
    """What an engine keeps of a concrete index beside its documents: its name, its size, when it was made."""

    version: str
    size_bytes: int
    created: str


def indexes(engine: Engine) -> list[IndexInfo]:
    """List the open indexes that are not hidden, by name; an index of ours that no alias shows was never published."""
    rows = engine.request("GET", "/_cat/indices", params={"format": "json", "bytes": "b", "h": _COLUMNS})
    marks = _marks(engine)
    aliases = engine.request("GET", "/_alias")
    counts = _counts(engine, path("_search"))
    found = []
    for row in rows:
        name = row["index"]
        if name.startswith(".") or row.get("docs.count") is None:  # the engine's own, or closed
            continue
        shown_as = _shown_as(aliases.get(name, {})) if name in marks else [name]
        count = counts.get(name, _Count(0, 0))
        kept = _Kept(name, int(row["store.size"] or 0), row["creation.date.string"])
        found += [_info(shown, kept, marks.get(name, {}), count) for shown in shown_as]
    return sorted(found, key=lambda info: info.name)


def published(engine: Engine, index: str) -> IndexInfo | None:
    """Return what `indexes` says of one index; None: there is none. Asks about no other."""
    version = versions.published(index, versions.of_index(engine, index))
    if version is None:
        return None
    stored = engine.request("GET", path(version.name, "_stats", "store"))["_all"]["total"]["store"]
    made = datetime.fromtimestamp(int(version.settings["index.creation_date"]) / 1000, UTC)
    created = made.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    counts = _counts(engine, path(version.name, "_search"))
    kept = _Kept(version.name, int(stored["size_in_bytes"]), created)
    return _info(index, kept, version.mark, counts.get(version.name, _Count(0, 0)))


def _shown_as(said: Mapping[str, Any]) -> list[str]:
    """Return the aliases that show a version of ours; one shows the version that a rollback returns to."""
    return [alias for alias in said.get("aliases", {}) if not alias.endswith(PREVIOUS)]


def _info(name: str, kept: _Kept, mark: Mapping[str, Any], count: _Count) -> IndexInfo:
    in_passages = "passages" in mark
    return IndexInfo(
        name=name,
        documents=count.in_passages if in_passages else count.entries,
        analysis=str(mark.get("analysis", NOT_OURS)),
        size_bytes=kept.size_bytes,
        created=str(mark.get("created", kept.created)),
        version=kept.version,
        metadata=mark,
        passages=count.entries if in_passages else None,
    )


def _counts(engine: Engine, where: str) -> dict[str, _Count]:
    """Return how much each index holds that a search there sees; `_cat/indices` counts nested objects as well."""
    by_index = {"terms": {"field": "_index", "size": 10_000}, "aggs": {"documents": {"filter": DOCUMENTS}}}
    answer = engine.request("POST", where, {"size": 0, "aggs": {"indexes": by_index}})
    buckets = answer.get("aggregations", {}).get("indexes", {}).get("buckets", [])  # nothing where there is no index
    return {each["key"]: _Count(each["doc_count"], each["documents"]["doc_count"]) for each in buckets}


def _marks(engine: Engine) -> dict[str, Mapping[str, Any]]:
    """Return the mark of each index that has one."""
    answer = engine.request("GET", "/_mapping", params={"filter_path": f"*.mappings._meta.{MARK}"})
    return {name: found["mappings"]["_meta"][MARK] for name, found in (answer or {}).items()}
