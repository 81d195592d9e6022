"""What tells whether an index still holds what it held: for a reader that is to go on in the middle of it."""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

from prorank_search.backends.engines.connection import Engine, path
from prorank_search.errors import AuthError

_SHOWN = {"_index": {"terms": {"field": "_index", "size": 1000}, "aggs": {"writes": {"stats": {"field": "_seq_no"}}}}}
"""The numbers that the last writes of all documents had: one more, or one less, changes their sum and their count."""


def state_of(engine: Engine, index: str) -> str:
    """Return what changes with every write that a search can see, and with an index that is made anew.

    Where this user may not see an index's settings it changes always: an index that is made anew by the same program
    looks like the old one.

    Raises:
        IndexNotFoundError: The index does not exist.
        BackendError: The engine failed.
    """
    try:
        made = engine.request("GET", path(index, "_settings"), params={"filter_path": "*.settings.index.uuid"})
    except AuthError:
        return uuid4().hex
    answer = engine.request("POST", path(index, "_search"), {"size": 0, "aggs": _SHOWN})
    shown = answer["aggregations"]["_index"]["buckets"]
    return hashlib.sha256(json.dumps([made, shown], sort_keys=True).encode()).hexdigest()
