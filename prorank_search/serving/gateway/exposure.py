"""Which queries are rescored where only a share of them is: by a hash, so that a query always behaves the same."""

from __future__ import annotations

from hashlib import blake2b


def is_exposed(query_text: str, percent: float) -> bool:
    """Return whether a query is among the first `percent` of all queries.

    A query that is among 5 % is among every larger share too.

    Example:
        >>> is_exposed("how fast is a fox", 100), is_exposed("how fast is a fox", 0)
        (True, False)
    """
    normal = " ".join(query_text.lower().split())
    drawn = int.from_bytes(blake2b(normal.encode(errors="replace"), digest_size=8).digest())
    return drawn / 2**64 * 100 < percent
