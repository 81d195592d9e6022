"""The engine's answer put into an order: hits moved, `_score` and `prorank` set, all else as it came. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from prorank_search.serving.gateway.json_spans import Edit, Span, edited, elements, members, with_members
from prorank_search.serving.gateway.order import HitKey, Order
from prorank_search.serving.gateway.rules import Page

BLOCK = "prorank"


class UnreadableError(Exception):
    """The engine's answer is none that hits could be moved in: it is passed on as it came."""


@dataclass(frozen=True, slots=True)
class FoundHit:
    """A hit as it stands in an answer.

    Attributes:
        key: What it is recognised by.
        score: The engine's score; None: it gave none.
        source: Its `_source`; empty where it has none.
        text: Its JSON.
    """

    key: HitKey
    score: float | None
    source: Mapping[str, object]
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """An answer to a search.

    Attributes:
        text: Its JSON.
        hits: Its hits, in the engine's order.
        array: Where they stand.
        max_score: Where the highest score stands; None: nowhere.
        lacks: Why hits may be missing, as the engine itself says; empty: it says nothing of the kind.
    """

    text: str
    hits: tuple[FoundHit, ...]
    array: Span
    max_score: Span | None
    lacks: str = ""

    def covers(self, order: Order) -> bool:
        """Tell whether the first hits are those of an order's window: the index did not change meanwhile."""
        if order.is_all and len(self.hits) != order.window_size:
            return False
        window = {hit.key for hit in self.hits[: order.window_size]}
        return window == {place.hit for place in order.places} | order.left_out


def read(text: str) -> Found:
    """Read an answer.

    Raises:
        UnreadableError: It is no answer to a search, or its hits have no `_id`.
    """
    try:
        top = members(text)
        outer = members(text, top["hits"].start)
        array = outer["hits"]
        hits = tuple(_hit(text[span.start : span.end], span.value) for span in elements(text, array.start))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError(f"this is not an answer to a search: {type(error).__name__}") from error
    return Found(text, hits, array, outer.get("max_score"), _lacks({key: span.value for key, span in top.items()}))


def put(found: Found, order: Order, page: Page, first_fetched: int = 0) -> str:
    """Return the answer with the hits of one page, in their order.

    Args:
        found: The answer with the whole window; or with the tail alone, from the page's first hit on.
        order: The order.
        page: The page.
        first_fetched: Position of the answer's first hit, from 0.
    """
    if first_fetched:
        listed = [_tail_hit(hit, order, position) for position, hit in enumerate(found.hits, start=first_fetched)]
        listed = listed[: page.size]
    else:
        listed = _listed(found, order, page)
    edits = [Edit(found.array.start, found.array.end, f"[{','.join(listed)}]")]
    best = order.places[0].shown if order.places else None
    if found.max_score is not None and best is not None:
        edits.append(Edit(found.max_score.start, found.max_score.end, json.dumps(best)))
    return edited(found.text, edits)


def with_block(text: str, block: Mapping[str, object]) -> str:
    """Return an answer with the status block.

    Raises:
        ValueError: It is no object.
    """
    return with_members(text, {BLOCK: json.dumps(block, ensure_ascii=False)})


def _listed(found: Found, order: Order, page: Page) -> list[str]:
    """Return the page's hits of a list that begins with the window."""
    by_key = {hit.key: hit for hit in found.hits[: order.window_size]}
    end = page.first + page.size
    head = [_marked(by_key[place.hit], place.shown, place.block) for place in order.places[page.first : end]]
    if order.ends:
        return head
    start, window = max(page.first, order.window_size), order.window_size
    tail = enumerate(found.hits[start:end], start=start) if end > window else ()
    return head + [_tail_hit(hit, order, position) for position, hit in tail]


def _tail_hit(hit: FoundHit, order: Order, position: int) -> str:
    shown = None if order.lowest is None else order.lowest - (position + 1 - order.window_size)
    rank = position + 1
    block = hit_block(hit, rank=rank, first_stage_rank=rank, score=hit.score if shown is None else shown)
    return _marked(hit, shown, block)


def hit_block(hit: FoundHit, *, rank: int, first_stage_rank: int, score: float | None, **more: object) -> str:
    """Return the JSON of a hit's block: both ranks and scores, and what the rescorer said."""
    block = {
        "rank": rank,
        "first_stage_rank": first_stage_rank,
        "first_stage_score": hit.score,
        "score": score,
        "rescore_score": None,
        "probability": None,
        "truncated": False,
        **more,
    }
    return json.dumps(block, ensure_ascii=False)


def _marked(hit: FoundHit, shown: float | None, block: str) -> str:
    new = {BLOCK: block} if shown is None else {"_score": json.dumps(shown), BLOCK: block}
    return with_members(hit.text, new)


def _lacks(answer: Mapping[str, object]) -> str:
    shards = answer.get("_shards")
    failed = shards.get("failed") if isinstance(shards, Mapping) else None
    said = {
        "the engine's time was over": answer.get("timed_out") is True,
        f"{failed} of its shards failed": bool(failed),
    }
    return " and ".join(reason for reason, applies in said.items() if applies)


def _hit(text: str, hit: Mapping[str, object]) -> FoundHit:
    score, source = hit.get("_score"), hit.get("_source")
    return FoundHit(
        HitKey(str(hit.get("_index", "")), str(hit["_id"]), str(hit.get("_routing", ""))),
        float(score) if isinstance(score, int | float) else None,
        source if isinstance(source, Mapping) else {},
        text,
    )
