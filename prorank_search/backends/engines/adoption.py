"""Writing into an index that somebody else made: what would change, and the mark that allows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prorank_search.backends.engines import versions
from prorank_search.backends.engines.analysis import ADOPTED, index_body, plan
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.errors import EngineError, InputError


def adopt(engine: Engine, index: str) -> list[str]:
    """Allow ourselves to write into an index; return what that changed. Ours need no permission.

    Raises:
        InputError: It is an alias, or its mapping cannot take our fields.
    """
    version = versions.published(index, versions.of_index(engine, index))
    if version is None or version.mark or ADOPTED in version.meta:
        return []
    _require_own_name(index, version)
    missing = _missing_fields(engine, index)
    changes = _told(missing)
    meta = {**version.meta, ADOPTED: {"fields": sorted(missing)}}
    try:
        versions.ask(engine, "PUT", path(index, "_mapping"), {"_meta": meta, "properties": missing})
    except EngineError as error:
        raise InputError(f"index {index!r} cannot be written to by us: its mapping refuses it: {error}") from error
    return changes


def require_ours(engine: Engine, index: str, version: versions.Version) -> None:
    """Raise InputError where nobody allowed us to write into an index, with what adopting it would change."""
    if version.mark or ADOPTED in version.meta:
        return
    _require_own_name(index, version)
    changes = "; ".join(_told(_missing_fields(engine, index)))
    raise InputError(
        f"index {index!r} was not made by prorank and stays as it is. With --adopt it would be written to, which "
        f"changes: {changes}; then documents are added, or replaced by their id. All else stays as it is"
    )


def _require_own_name(index: str, version: versions.Version) -> None:
    if version.name != index:
        raise InputError(f"{index!r} is somebody's alias of {version.name!r}: name that index itself, with --adopt")


def _missing_fields(engine: Engine, index: str) -> dict[str, Any]:
    answer = versions.ask(engine, "GET", path(index, "_mapping"))
    known: Mapping[str, Any] = answer[index].get("mappings", {}).get("properties", {})
    ours = index_body(plan("standard", smartcn=False))["mappings"]["properties"]
    return {name: field for name, field in ours.items() if name not in known}


def _told(missing: Mapping[str, Any]) -> list[str]:
    fields = [f"the mapping gets the field {name!r} ({field['type']})" for name, field in sorted(missing.items())]
    return [*fields, f"the mapping's _meta gets the key {ADOPTED!r}"]
