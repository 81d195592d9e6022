"""The fields that a query over the embedded index can name."""

from __future__ import annotations

from prorank_search.query_dsl.nodes import Node, nearest

TEXT_FIELDS = ("title", "text")
"""Fields of words."""
ID_FIELDS = ("_id", "doc_id")
FACTS = "facts"
"""Field of whole `key=value` facts, as the indexes have it that `prorank ingest` makes on an engine."""
METADATA = "metadata."
"""What a field of the documents' metadata begins with; a key inside another follows with a dot."""
PARENT = "parent_id"

_KNOWN = (*TEXT_FIELDS, *ID_FIELDS, PARENT, FACTS)


def checked_field(name: str, at: Node) -> str:
    """Return a field's name; refuse, at that place, one that no embedded index has."""
    if name not in _KNOWN and (not name.startswith(METADATA) or name == METADATA):
        at.refuse(f"an embedded index has no such field; {nearest(name, (*_KNOWN, 'metadata.KEY'))}")
    return name
