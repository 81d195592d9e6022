"""A request taken part by part, as long as somebody waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from prorank_search.types import ScoreRequest

Item = TypeVar("Item")

_ITEMS_WHERE_NOBODY_WAITS = 256
"""Many, so that texts of similar length find each other, but not all, lest a kill loses them."""


def is_over(request: ScoreRequest) -> bool:
    """Return whether a request's deadline has passed, or nobody waits for its answer any longer.

    Example:
        >>> is_over(ScoreRequest("fox", ["a fox"])), is_over(ScoreRequest("fox", ["a fox"], deadline=0.0))
        (False, True)
    """
    late = request.deadline is not None and time.monotonic() >= request.deadline
    return late or (request.cancelled is not None and request.cancelled())


def in_time(items: Sequence[Item], request: ScoreRequest, size: int) -> Iterator[Sequence[Item]]:
    """Yield items part by part, in their order, until the request is over.

    Args:
        items: What is worked on.
        request: Looked at before each part.
        size: Of a part, where the request can be over before its end.
    """
    if request.deadline is None and request.cancelled is None:
        size = _ITEMS_WHERE_NOBODY_WAITS
    for start in range(0, len(items), size):
        if is_over(request):
            return
        yield items[start : start + size]
