"""Which embedded indexes a name or a pattern stands for."""

from __future__ import annotations

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.query_dsl.source_filter import matches
from prorank_search.serving.embedded.calls import BadParameterError
from prorank_search.serving.embedded.faults import NoSuchIndexError


def indexes_of(backend: TantivyBackend, pattern: str | None) -> list[str]:
    """Return the indexes that a pattern names, by name: `a,b`, `log-*`, `_all`; None: all.

    Raises:
        NoSuchIndexError: One that is named whole is not there.
    """
    known = backend.names()
    chosen: dict[str, None] = {}
    for part in (pattern or "_all").split(","):
        found = [name for name in known if part == "_all" or matches(part, name)]
        if not found and "*" not in part and part != "_all":
            raise NoSuchIndexError(part)
        chosen |= dict.fromkeys(found)
    return sorted(chosen)


def one_index(backend: TantivyBackend, pattern: str | None) -> str:
    """Return the one index that a pattern names: scores of several embedded indexes cannot be compared.

    Raises:
        NoSuchIndexError: There is none.
        BadParameterError: It names several.
    """
    found = indexes_of(backend, pattern)
    if not found:
        raise NoSuchIndexError(pattern or "_all")
    if len(found) > 1:
        raise BadParameterError(f"{len(found)} indexes are asked for, and embedded ones are searched one at a time")
    return found[0]
