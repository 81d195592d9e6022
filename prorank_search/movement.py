"""What rescoring did to a list of hits: both orders of one result, who moved, and a sentence that says so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prorank_search.types import RescoredHit, SearchResult, Status

Movement = Literal["new", "up", "down", "same"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both orders of one result.

    Attributes:
        result: The result, with its whole window.
        first_stage: The first stage's first hits, in its order; their `rank` tells where they went.
        second_stage: The first hits of the final order; their `first_stage_rank` tells where they came from.
        summary: One sentence that says what happened.
    """

    result: SearchResult
    first_stage: tuple[RescoredHit, ...]
    second_stage: tuple[RescoredHit, ...]
    summary: str

    def to_json(self) -> dict[str, object]:
        """Return plain values: what `SearchResult.to_json` returns, with both lists in place of its one."""
        plain = self.result.to_json()
        return {
            "query": plain["query"],
            "first_stage": replace(self.result, hits=self.first_stage).to_json()["hits"],
            "second_stage": replace(self.result, hits=self.second_stage).to_json()["hits"],
            "status": plain["status"],
            "took_ms": plain["took_ms"],
            "summary": self.summary,
        }


def compare(result: SearchResult, top_k: int = 10) -> Comparison:
    """Put both orders of a result beside each other.

    Args:
        result: A result with its whole window: `search(..., whole_window=True)`.
        top_k: Hits of each list.
    """
    first_stage = tuple(sorted(result.hits, key=lambda hit: hit.first_stage_rank)[:top_k])
    second_stage = result.hits[:top_k]
    return Comparison(result, first_stage, second_stage, summarize(second_stage, result.status, top_k))


def rank_biased_overlap(first: Sequence[str], second: Sequence[str], persistence: float = 0.9) -> float:
    """Return how alike two rankings are, the top counting most: 0 without a common document, 1 for the same order.

    RBO extrapolated to what is seen of both (Webber, Moffat and Zobel, TOIS 2010, equation 32).

    Args:
        first: Ids of documents, the best first.
        second: The same of the other ranking.
        persistence: The chance that a reader goes on from one rank to the next; at 0.9 the first ten weigh 86 %.

    Example:
        >>> rank_biased_overlap(["a", "b", "c"], ["a", "b", "c"]), rank_biased_overlap(["a"], ["b"])
        (1.0, 0.0)
    """
    short, long = sorted((first, second), key=len)
    if not short:
        return 0.0
    common = [len(set(first[:depth]) & set(second[:depth])) for depth in range(1, len(long) + 1)]
    at_short, at_long = common[len(short) - 1], common[-1]
    seen = sum(found / depth * persistence**depth for depth, found in enumerate(common, start=1))
    uneven = sum(
        at_short * (depth - len(short)) / (len(short) * depth) * persistence**depth
        for depth in range(len(short) + 1, len(long) + 1)
    )
    beyond = ((at_long - at_short) / len(long) + at_short / len(short)) * persistence ** len(long)
    return round((1 - persistence) / persistence * (seen + uneven) + beyond, 12)


def movement(hit: RescoredHit, top_k: int) -> Movement:
    """Return how a hit got among the final first `top_k`; "new" was not among the first stage's first `top_k`."""
    if hit.first_stage_rank > top_k:
        return "new"
    if hit.first_stage_rank == hit.rank:
        return "same"
    return "up" if hit.first_stage_rank > hit.rank else "down"


def summarize(hits: tuple[RescoredHit, ...], status: Status, top_k: int) -> str:
    """Return one sentence that says what rescoring did to the first `top_k` hits.

    Args:
        hits: The first hits of the final order.
        status: What became of the second stage.
        top_k: Hits that were looked at in both orders.
    """
    if not hits:
        return nothing_found(status)
    if status.state == "skipped":
        return f"Both lists are the first stage's: {status.reason}."
    if status.state == "degraded":
        return f"Both lists are the first stage's, since the second failed: {status.reason}."
    sentence = f"{_others(hits, top_k)}; {_best(hits[0])}"
    return f"{sentence}; {status.reason}." if status.state == "partial" else f"{sentence}."


def nothing_found(status: Status) -> str:
    """Return the sentence of an answer without hits, with the reason where there is more to say."""
    return f"Nothing was found: {status.reason}." if status.reason else "Nothing was found."


def _others(hits: tuple[RescoredHit, ...], top_k: int) -> str:
    moves = [movement(hit, top_k) for hit in hits]
    new = moves.count("new")
    if new:
        return f"{new} of the first {len(hits)} {'is' if new == 1 else 'are'} new"
    if set(moves) == {"same"}:
        return f"Rescoring left the first {len(hits)} in their order"
    return f"The first {len(hits)} are the same hits in another order"


def _best(hit: RescoredHit) -> str:
    if hit.first_stage_rank == 1:
        return "the best hit was first already"
    return f"the best hit rose from {hit.first_stage_rank} to 1"
