"""The order of one search's window: what is given out page by page. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from prorank_search.types import Status


@dataclass(frozen=True, slots=True)
class HitKey:
    """What a hit is recognised by."""

    index: str
    hit_id: str
    routing: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One hit's place in an order.

    Attributes:
        hit: Which hit.
        first_stage_rank: Its rank in the engine's order, from 1.
        shown: Its `_score`, which falls strictly along the list; None: the engine's own stays.
        block: The JSON of its `prorank` block.
    """

    hit: HitKey
    first_stage_rank: int
    shown: float | None
    block: str


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a window.

    Attributes:
        places: Its hits, best first.
        status: What became of the second stage.
        left_out: Hits of the window whose score is below what was asked for.
        ends: Whether the list ends with the window; else the engine's further hits follow.
        is_all: Whether the engine had no more hits than these.
        rescore_ms: Milliseconds that scoring took.
    """

    places: tuple[Place, ...]
    status: Status
    left_out: frozenset[HitKey] = frozenset()
    ends: bool = False
    is_all: bool = False
    rescore_ms: float = 0.0

    @property
    def window_size(self) -> int:
        """Hits of the window, those that were left out among them."""
        return len(self.places) + len(self.left_out)

    @property
    def lowest(self) -> float | None:
        """The `_score` that the tail falls below; None: the engine's own stay."""
        return self.places[-1].shown if self.places else None
