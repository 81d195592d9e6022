"""One search from its body to its answer: plan, first stage, second stage, page."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b

from prorank_search.errors import BackendError, InputError
from prorank_search.profiles import Profile
from prorank_search.serving.gateway import reorder
from prorank_search.serving.gateway.counts import Counts
from prorank_search.serving.gateway.exposure import is_exposed
from prorank_search.serving.gateway.faults import EngineFaultError
from prorank_search.serving.gateway.order import HitKey, Order
from prorank_search.serving.gateway.pages import Pages, key_of
from prorank_search.serving.gateway.reorder import Found, FoundHit, UnreadableError
from prorank_search.serving.gateway.request import RescorePlan, Search, plan_of, wish_of
from prorank_search.serving.gateway.rules import Page, page_of, refusal
from prorank_search.serving.gateway.scoring import Scorer, kept, ms_since, order_of
from prorank_search.serving.gateway.switch import Switch
from prorank_search.serving.off_loop import off_loop
from prorank_search.settings import Settings
from prorank_search.types import State, Status

_LOG = logging.getLogger(__name__)

_RECOMPUTED = "order_recomputed"
_NO_TEXTS = "the texts of the hits could not be fetched"
_OF_WHERE = ("routing", "preference", "ignore_unavailable", "allow_no_indices", "expand_wildcards")
"""Parameters that say where is searched, so that a second request asks there too."""

Send = Callable[[Search], Awaitable[str]]
"""Sends a search to the engine as its caller, and returns the answer's text."""


@dataclass(frozen=True, slots=True)
class SearchDesk:
    """What the gateway's searches share.

    Attributes:
        settings: What is in force.
        profiles: By the name of their index.
        scorer: The models.
        pages: Orders for further pages.
        switch: Whether searches are rescored.
        counts: Count.
    """

    settings: Settings
    profiles: Mapping[str, Profile]
    scorer: Scorer
    pages: Pages
    switch: Switch
    counts: Counts


@dataclass(frozen=True, slots=True)
class Job:
    """A search that is rescored, ready to be sent.

    Attributes:
        plan: How.
        page: Which hits it wants.
        own: The search without what is ours, as its client sent it.
        search: What the engine is asked: mostly for more hits.
        key: A hash of all that its order depends on, the caller among it, but for the model.
        order: Its order, where it was given out before; None: it is made.
        first_fetched: Position of the first hit that the engine is asked for, from 0.
        began: When the request came, in `time.monotonic()` seconds.
    """

    plan: RescorePlan
    page: Page
    own: Search
    search: Search
    key: str
    order: Order | None
    first_fetched: int
    began: float

    @property
    def deadline(self) -> float | None:
        """When its time is over."""
        return None if self.plan.timeout_s is None else self.began + self.plan.timeout_s


@dataclass(frozen=True, slots=True)
class Left:
    """A search that keeps the engine's order.

    Attributes:
        search: What the engine is asked.
        reason: Why; empty: nobody asked for more, and the answer says nothing of it.
        shadow: What is rescored beside it, to count how hits would move.
        mode: What was to become of it: `apply` or `shadow`.
    """

    search: Search
    reason: str = ""
    shadow: RescorePlan | None = None
    mode: str = "apply"


def decided(desk: SearchDesk, search: Search, caller: str) -> Left | Job:
    """Decide what becomes of a search. Reads the whole of it, so a long one belongs into a thread.

    Args:
        desk: What searches share.
        search: As its client sent it.
        caller: Who asks, for whom alone an order is kept.

    Raises:
        InputError: It asks for what cannot be done.
    """
    profile = desk.profiles.get(search.index)
    wish = wish_of(search, profile)
    if wish is None:
        return Left(search)
    plan = plan_of(wish, profile or Profile(), desk.settings)
    if plan is None:
        return Left(wish.search, "the query has no text that could be looked for")
    page = page_of(wish.search)
    refused = refusal(wish.search)
    if refused and wish.explicit:
        raise InputError(refused)
    reason = refused or desk.switch.reason or _why_no_hits(page)
    if not reason and not is_exposed(plan.query_text, plan.percent):
        reason = f"this query is outside the {plan.percent:g} % of queries that are rescored"
    if reason or page is None:
        return Left(wish.search, reason, mode=plan.mode)
    if plan.mode == "shadow":
        return Left(wish.search, "shadow: the engine's order stands", plan, mode="shadow")
    return _job_of(desk, wish.search, plan, page, caller)


async def finished(
    desk: SearchDesk, job: Job, text: str, send: Send, cancelled: Callable[[], bool]
) -> tuple[str, State]:
    """Make the engine's answer into ours, and tell how the second stage went.

    Args:
        desk: What searches share.
        job: The search.
        text: The engine's answer to `job.search`.
        send: For the texts, where the answer does not have them.
        cancelled: True once nobody waits any longer.

    Raises:
        InputError: The plan cannot be carried out on these hits.
        RescorerError: The model failed, and the plan says `on_failure: error`.
        BackendError: The texts could not be fetched, and the plan says so.
        EngineFaultError: The engine refused them, and the plan says so.
        UnreadableError: The answer is none.
    """
    first_stage_ms = ms_since(job.began)
    found = await asyncio.to_thread(reorder.read, text)
    order, reason = job.order, ""
    if order is None or (not job.first_fetched and not found.covers(order)):
        made, order = await _new_order(desk, job, found, send, cancelled)
        reason = _RECOMPUTED if made and (job.page.first or job.order) else ""
        rescore_ms = order.rescore_ms if made else 0.0
    else:
        rescore_ms = 0.0
    body = await asyncio.to_thread(reorder.put, found, order, job.page, job.first_fetched)
    took = {"first_stage": first_stage_ms, "rescore": rescore_ms, "total": ms_since(job.began)}
    status = _lacking(order.status, found)
    desk.counts.searched("apply", status.state, took)
    block = status_block(status, reason, took)
    return await asyncio.to_thread(reorder.with_block, body, block), status.state


async def shadowed(desk: SearchDesk, search: Search, plan: RescorePlan, send: Send) -> None:
    """Rescore a search that keeps the engine's order, and count how its hits would have moved."""
    began = time.monotonic()
    window = await off_loop(len(search.text), lambda: _window_of(search, desk.scorer.window(plan), plan))
    job = Job(plan, Page(0, 0), search, window, "", None, 0, began)
    found = await asyncio.to_thread(reorder.read, await send(job.search))
    order = await _made(desk, job, found, send, lambda: False)
    desk.counts.searched("shadow", order.status.state, {"shadow": ms_since(began)})
    if order.status.state in ("ok", "partial"):
        desk.counts.shadowed(order)


def status_block(status: Status, reason: str = "", took_ms: Mapping[str, float] | None = None) -> dict[str, object]:
    """Return the status block of an answer."""
    return {
        "status": status.state,
        "reason": "; ".join(filter(None, [reason, status.reason])),
        "window_size": status.window_size,
        "model": status.model,
        "model_revision": status.model_revision,
        "query_truncated": status.query_truncated,
        "blend": None if status.blend is None else asdict(status.blend),
        "took_ms": dict(took_ms or {}),
    }


def _job_of(desk: SearchDesk, search: Search, plan: RescorePlan, page: Page, caller: str) -> Job:
    began = time.monotonic()
    key = _key(search, plan, caller)
    kept_at = _kept_at(key, desk.scorer.revision(plan))
    order = desk.pages.get(kept_at)
    if order is not None and order.status.state == "degraded" and page.first == 0:
        desk.pages.drop(kept_at)  # who asks for the first page again asks for another try
        order = None
    return _placed(desk, Job(plan, page, search, search, key, order, 0, began))


async def _new_order(
    desk: SearchDesk, job: Job, found: Found, send: Send, cancelled: Callable[[], bool]
) -> tuple[bool, Order]:
    """Return the order that somebody made meanwhile, or make one; whether it was made here stands before it."""
    key = _kept_at(job.key, desk.scorer.revision(job.plan))
    async with desk.pages.turn(key):
        kept = desk.pages.get(key)
        if kept is not None and kept is not job.order and found.covers(kept):
            return False, kept
        order = await _made(desk, job, found, send, cancelled)
        if not found.lacks:
            revision = order.status.model_revision or desk.scorer.revision(job.plan)
            desk.pages.keep(_kept_at(job.key, revision), order)  # the model may be loaded, or replaced, only now
        return True, order


async def _made(desk: SearchDesk, job: Job, found: Found, send: Send, cancelled: Callable[[], bool]) -> Order:
    wanted, began = desk.scorer.window(job.plan), time.monotonic()
    window = found.hits[:wanted]
    try:
        sources = await _sources(job, window, send)
    except (BackendError, EngineFaultError, TimeoutError, UnreadableError) as error:
        if job.plan.on_failure == "error" and not isinstance(error, TimeoutError):
            raise
        reason = _NO_TEXTS + (" in time" if isinstance(error, TimeoutError) else "")
        _LOG.warning("%s: %s", reason, error)
        order = kept(window, Status("degraded", reason, len(window)), began)
    else:
        order = await order_of(desk.scorer, job.plan, window, sources, job.deadline, cancelled)
    return replace(order, is_all=len(found.hits) == order.window_size < wanted)


def _placed(desk: SearchDesk, job: Job) -> Job:
    """Return a job with what the engine is asked: the window and what follows it, or only what follows it."""
    order, page = job.order, job.page
    search = job.search
    if order is not None and page.first >= order.window_size and not (order.ends or order.is_all):
        return replace(job, search=_fetching(search, page.first, page.size, job.plan), first_fetched=page.first)
    window = max(desk.scorer.window(job.plan), 0 if order is None else order.window_size)
    size = max(window, page.first + page.size)
    return replace(job, search=_fetching(search, 0, size, job.plan), first_fetched=0)


def _window_of(search: Search, window: int, plan: RescorePlan) -> Search:
    return _fetching(search, 0, max(window, 1), plan)


def _fetching(search: Search, first: int, size: int, plan: RescorePlan) -> Search:
    """Return a search for other hits of the same list, from the same copies of the shards each time."""
    params = {key: value for key, value in search.params.items() if key not in ("from", "size")}
    if "preference" not in params and "pit" not in search.body:
        params["preference"] = "q" + blake2b(plan.query_text.encode(errors="replace"), digest_size=4).hexdigest()
    return replace(search, params=params).with_members(**{"from": first, "size": size})


def _key(search: Search, plan: RescorePlan, caller: str) -> str:
    body = {key: value for key, value in search.body.items() if key not in ("from", "size")}
    params = {key: value for key, value in search.params.items() if key not in ("from", "size", "pretty")}
    return key_of(
        {
            "index": search.index,
            "body": body,
            "params": params,
            "plan": repr(plan),
            "caller": caller,
        }
    )


def _kept_at(key: str, revision: str) -> str:
    """Return where the order is kept that a model of some revision gives a search."""
    return key_of({"search": key, "model": revision})


def _lacking(status: Status, found: Found) -> Status:
    """Return the status of a search whose hits the engine may not have all found."""
    if not found.lacks:
        return status
    reason = "; ".join(filter(None, [f"first_stage_partial: {found.lacks}", status.reason]))
    return replace(status, state="partial" if status.state == "ok" else status.state, reason=reason)


def _has_texts(search: Search, plan: RescorePlan) -> bool:
    """Tell whether the hits come with the texts, or whether they have to be fetched apart."""
    if any(name.startswith("_source") or name == "stored_fields" for name in search.params):
        return False
    if "stored_fields" in search.body and "_source" not in search.body:
        return False
    wanted = search.body.get("_source", True)
    if isinstance(wanted, list):
        return set(plan.texts.paths) <= {path for path in wanted if isinstance(path, str)}
    return wanted is True


async def _sources(job: Job, window: Sequence[FoundHit], send: Send) -> dict[HitKey, Mapping[str, object]]:
    """Return the hits' texts; those that came without are fetched: the answer's own `_source` stays as asked for."""
    if not window or _has_texts(job.search, job.plan):
        return {hit.key: hit.source for hit in window}
    by_index: dict[str, list[str]] = {}
    for hit in window:
        by_index.setdefault(hit.key.index, []).append(hit.key.hit_id)
    clauses = [_ids(index, ids, alone=len(by_index) == 1) for index, ids in by_index.items()]
    query = clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses}}
    body: dict[str, object] = {"query": query, "size": len(window), "_source": list(job.plan.texts.paths)}
    if "pit" in job.search.body:
        body["pit"] = job.search.body["pit"]
    params = {key: value for key, value in job.search.params.items() if key in _OF_WHERE}
    left_s = None if job.deadline is None else max(0.0, job.deadline - time.monotonic())
    async with asyncio.timeout(left_s):
        answer = await send(Search(job.search.index, json.dumps(body), params))
    found = await asyncio.to_thread(reorder.read, answer)
    return {hit.key: hit.source for hit in found.hits}


def _ids(index: str, ids: Sequence[str], *, alone: bool) -> dict[str, object]:
    those: dict[str, object] = {"ids": {"values": list(ids)}}
    return those if alone else {"bool": {"filter": [{"term": {"_index": index}}, those]}}


def _why_no_hits(page: Page | None) -> str:
    if page is None:
        return "[from] or [size] is not a number of hits"
    return "" if page.size else "no hits were asked for"
