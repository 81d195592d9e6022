"""Two rankings beside each other: where each document stands in the other one, and a sentence that says what differs.

Pure; the two may come from any two sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Literal

from prorank_search.movement import rank_biased_overlap
from prorank_search.types import RescoredHit

Change = Literal["up", "down", "same", "new", "gone"]
"""From left to right: it rose, fell, stayed, came into the first ones, left them."""

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Placed:
    """A hit of one side.

    Attributes:
        hit: The hit; its `rank` is the one on this side.
        other_rank: Its rank on the other side; None: it is not there.
        change: How it moved from left to right; None: there is nothing to compare it with yet.
    """

    hit: RescoredHit
    other_rank: int | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """Both sides.

    Attributes:
        left: The left side's hits in its order.
        right: The right side's hits in its order.
        top_k: The first hits that count as seen.
        common: How many of these are on both sides.
        rbo: Rank-biased overlap of the two, 0 to 1.
        summary: One sentence that says what differs.
    """

    left: tuple[Placed, ...]
    right: tuple[Placed, ...]
    top_k: int
    common: int
    rbo: float
    summary: str


def pair(left: Sequence[RescoredHit], right: Sequence[RescoredHit], top_k: int = 10) -> Pairing:
    """Put two rankings of the same query beside each other.

    Args:
        left: Hits in their order.
        right: The same.
        top_k: The first hits that count as seen: one that is among them on the right alone is new.
    """
    left_ranks, right_ranks = ({hit.document.doc_id: hit.rank for hit in hits} for hits in (left, right))
    ids = [[hit.document.doc_id for hit in hits] for hits in (left, right)]
    common = len(set(ids[0][:top_k]) & set(ids[1][:top_k]))
    placed = [
        tuple(
            Placed(hit, other.get(doc_id), _change(left_ranks.get(doc_id), right_ranks.get(doc_id), top_k))
            for hit in hits
            for doc_id in [hit.document.doc_id]
        )
        for hits, other in ((left, right_ranks), (right, left_ranks))
    ]
    rbo = rank_biased_overlap(ids[0], ids[1])
    return Pairing(placed[0], placed[1], top_k, common, rbo, _summary(placed[1][:top_k]))


def _change(left: int | None, right: int | None, top_k: int) -> Change:
    if right is None or (left is not None and left <= top_k < right):
        return "gone"
    if left is None or right <= top_k < left:
        return "new"
    return "same" if left == right else "up" if left > right else "down"


def _summary(first: Sequence[Placed]) -> str:
    if not first:
        return "Nothing was found."
    new = sum(placed.change == "new" for placed in first)
    if new:
        sentence = f"{new} of the first {len(first)} {'is' if new == 1 else 'are'} new"
    elif all(placed.change == "same" for placed in first):
        return f"Both sides have the same first {len(first)} in the same order."
    else:
        sentence = f"The first {len(first)} are the same hits in another order"
    was, document = first[0].other_rank, first[0].hit.document
    if was == 1:
        return f"{sentence}; the best hit was first already."
    moved = "is not on the left at all" if was is None else f"rose from {was} to 1"
    name = shorten(document.title or document.doc_id, _LONGEST_NAME, placeholder=" …")
    return f"{sentence}; the best hit {moved}: “{name}”."
