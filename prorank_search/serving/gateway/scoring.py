"""The second stage of a gateway's search: a window's hits and their texts into an order, whatever the model does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from prorank_search.errors import (
    InputError,
    NotReadyError,
    OverloadedError,
    ProRankError,
    RescorerError,
)
from prorank_search.rescore import best_passages, hits_within, judged, reorder, texts_in_time, window_for
from prorank_search.serving.answers import Asked, Question
from prorank_search.serving.gateway.breaker import Breaker
from prorank_search.serving.gateway.order import HitKey, Order, Place
from prorank_search.serving.gateway.reorder import FoundHit, hit_block
from prorank_search.serving.gateway.request import RescorePlan
from prorank_search.serving.logs import log_error
from prorank_search.serving.numbers import falling
from prorank_search.serving.service import Scoring, Service
from prorank_search.serving.shapes.shape import readable
from prorank_search.types import Blend, Document, Hit, RescoredHit, Scored, Status

_NO_LIMIT_S = 86_400.0
"""Where nobody waits: a day."""
_GRACE_S = 5.0
"""Past its deadline a rescorer is waited for that long, lest one that hangs takes searches along."""
_WINDOW_WHILE_LOADING = 10
"""Hits that tell of a model which cannot say yet how many it wants."""
_FAIR_S = 1.0
"""A rescorer that scores nothing for anybody in that much time has failed; in less it had no chance."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """The service's models, as the gateway uses them.

    Attributes:
        service: Scores.
        breakers: One for each model that was asked for.
    """

    service: Service
    breakers: dict[str, Breaker] = field(default_factory=dict)

    def breaker(self, plan: RescorePlan) -> Breaker:
        """Return the breaker of a plan's model."""
        return self.breakers.setdefault(plan.model or "", Breaker())

    def revision(self, plan: RescorePlan) -> str:
        """Return the revision of a plan's model; empty as long as it is not loaded."""
        try:
            rescorer = self.service.named(plan.model)
        except ProRankError:
            return ""
        return rescorer.revision if rescorer else ""

    def window(self, plan: RescorePlan) -> int:
        """Return how many hits a plan wants of the engine.

        Raises:
            UnknownModelError: There is no model of that name.
        """
        if plan.window_size != "auto":
            return plan.window_size
        try:
            rescorer = self.service.named(plan.model) or self.service.rescorer
        except NotReadyError:
            return min(_WINDOW_WHILE_LOADING, self.most_texts)
        return min(window_for(rescorer, "auto", plan.timeout_s), self.most_texts)

    @property
    def most_texts(self) -> int:
        """Texts of one request at most."""
        return self.service.settings.max_texts


async def order_of(
    scorer: Scorer,
    plan: RescorePlan,
    window: Sequence[FoundHit],
    sources: Mapping[HitKey, Mapping[str, object]],
    deadline: float | None,
    cancelled: Callable[[], bool],
) -> Order:
    """Return the order of a window.

    Args:
        scorer: The models.
        plan: How it is rescored.
        window: The engine's hits, in its order.
        sources: `_source` of each, with the plan's paths, by its key.
        deadline: `time.monotonic()` seconds; None: nobody waits.
        cancelled: True once nobody waits any longer.

    Raises:
        InputError: The plan cannot be carried out on these hits.
        RescorerError: The model failed, and the plan says `on_failure: error`.
    """
    if not window:
        return Order((), Status("ok"))
    began = time.monotonic()
    try:
        hits = await asyncio.to_thread(_with_texts, scorer, plan, window, sources)
        if not any(hit.passages for hit in hits):
            paths = ", ".join(plan.texts.paths)
            return kept(window, Status("skipped", f"no hit has a text at {paths}: name [fields]"), began)
        try:
            scoring = await _scored(scorer, plan, hits, deadline, cancelled)
        except InputError as error:  # the service does not answer such a request
            if plan.explicit:
                raise
            return kept(window, Status("degraded", str(error), len(window)), began)
    except (RescorerError, NotReadyError) as error:
        if plan.on_failure == "error":
            raise
        return kept(window, Status("degraded", _reason(error), len(window)), began)
    return _ordered(plan, window[: len(hits)], hits, scoring, began)


def _with_texts(
    scorer: Scorer,
    plan: RescorePlan,
    window: Sequence[FoundHit],
    sources: Mapping[HitKey, Mapping[str, object]],
) -> list[Hit]:
    """Return the hits with the texts that are scored, their passages; no more than there is time and place for."""
    settings = scorer.service.settings
    longest = min(settings.max_text_chars, settings.max_request_chars // (len(window) + 1))
    hits = []
    for position, found in enumerate(window):
        texts = plan.texts.texts_of(sources.get(found.key, {}))
        if not texts and plan.texts.missing == "error":
            raise InputError(
                f"[missing] is [error], and hit {position + 1} has no text at {', '.join(plan.texts.paths)}"
            )
        passages = tuple(Document(str(position), readable(text[:longest])) for text in texts)
        hits.append(Hit(Document(str(position), ""), found.score or 0.0, passages))
    most = scorer.most_texts
    rescorer = scorer.service.named(plan.model)
    if plan.window_size == "auto" and rescorer is not None:
        most = min(most, texts_in_time(rescorer, plan.timeout_s))
    return hits[: hits_within(hits, most)]


async def _scored(
    scorer: Scorer, plan: RescorePlan, hits: Sequence[Hit], deadline: float | None, cancelled: Callable[[], bool]
) -> Scoring:
    """Have a model score the hits' texts, and tell the breaker how it went."""
    breaker = scorer.breaker(plan)
    if not breaker.lets_in():
        raise OverloadedError(
            f"circuit_open: the rescorer failed repeatedly; it is tried again in {breaker.retry_after_s:.0f} s",
            retry_after_s=breaker.retry_after_s,
        )
    admission, revision = scorer.service.admission, scorer.revision(plan)
    times_scored = admission.times_scored(revision)
    texts = tuple(passage.text for hit in hits for passage in hit.passages)
    left_s = _NO_LIMIT_S if deadline is None else max(deadline - time.monotonic(), 1e-6)
    asked = Asked(
        (Question(readable(plan.query_text), texts),),
        model=plan.model,
        instruction=plan.instruction,
        timeout_s=left_s,
    )
    try:
        scoring = await asyncio.wait_for(scorer.service.scored(asked, cancelled), left_s + _GRACE_S)
    except (OverloadedError, NotReadyError, InputError):
        raise
    except Exception as error:  # a plugin may raise anything: its search does not fail with it
        breaker.failed()
        log_error(error)
        raise RescorerError(f"the rescorer failed: {type(error).__name__}") from error
    if any(scored.score is not None for scored in scoring.scored[0]):
        breaker.worked()
    elif left_s >= _FAIR_S and times_scored == admission.times_scored(revision):
        breaker.failed()
    return scoring


def _ordered(
    plan: RescorePlan, window: Sequence[FoundHit], hits: Sequence[Hit], scoring: Scoring, began: float
) -> Order:
    info = scoring.info
    with_text = [position for position, hit in enumerate(hits) if hit.passages]
    shown, best = best_passages([hits[position] for position in with_text], scoring.scored[0])
    listed, scores = list(hits), [Scored(None)] * len(hits)
    for position, hit, score in zip(with_text, shown, best, strict=True):
        listed[position], scores[position] = hit, score
    blend = plan.blend or info.blend or Blend()
    status = judged(Status("ok", info.reason, len(hits), info.model, scoring.revision, blend=blend), best)
    if len(with_text) < len(hits):
        note = f"{len(hits) - len(with_text)} of {len(hits)} hits have no text"
        status = replace(status, reason="; ".join(filter(None, [note, status.reason])))
    rescored = reorder(listed, scores, blend, info.calibration)
    kept = [hit for hit in rescored if _is_good(hit, scores[hit.first_stage_rank - 1], plan)]
    is_scored = any(score.score is not None for score in best)
    numbers = falling(hit.score for hit in kept) if is_scored else [None] * len(kept)
    places = tuple(
        _place(rank, hit, number, window[hit.first_stage_rank - 1], plan)
        for rank, (hit, number) in enumerate(zip(kept, numbers, strict=True), start=1)
    )
    good = {place.hit for place in places}
    return Order(
        places,
        status,
        frozenset(hit.key for hit in window if hit.key not in good),
        ends=is_scored and _has_least(plan),
        rescore_ms=ms_since(began),
    )


def _is_good(hit: RescoredHit, scored: Scored, plan: RescorePlan) -> bool:
    """Tell whether a hit stays in; one that nobody had the time to score does.

    Raises:
        InputError: The model has no probabilities, and the plan asks for one.
    """
    if hit.rescore_score is None:
        return not (scored.left_out and _has_least(plan))
    if plan.min_probability is not None:
        if hit.probability is None:
            raise InputError("[min_probability] cannot be used: the model has no calibration; use [min_score]")
        if hit.probability < plan.min_probability:
            return False
    return plan.min_score is None or hit.score >= plan.min_score


def _has_least(plan: RescorePlan) -> bool:
    return plan.min_score is not None or plan.min_probability is not None


def _place(rank: int, hit: RescoredHit, number: float | None, found: FoundHit, plan: RescorePlan) -> Place:
    more: dict[str, object] = {
        "rescore_score": hit.rescore_score,
        "probability": hit.probability,
        "truncated": hit.truncated,
        **({"parts": dict(hit.parts)} if hit.parts else {}),
    }
    if plan.texts.passages is not None and hit.rescore_score is not None:
        more["passage"] = hit.passage
    first = hit.first_stage_rank
    score = found.score if number is None else number
    block = hit_block(found, rank=rank, first_stage_rank=first, score=score, **more)
    return Place(found.key, first, number, block)


def kept(window: Sequence[FoundHit], status: Status, began: float) -> Order:
    """Return the engine's own order."""
    places = tuple(
        Place(hit.key, rank, None, hit_block(hit, rank=rank, first_stage_rank=rank, score=hit.score))
        for rank, hit in enumerate(window, start=1)
    )
    return Order(places, status, rescore_ms=ms_since(began))


def _reason(error: ProRankError) -> str:
    """Return what an answer says of a failure: nothing that may have a document's text in it."""
    if isinstance(error, OverloadedError | NotReadyError):
        return str(error)
    return "the rescorer failed: the log of the service tells more"


def ms_since(began: float) -> float:
    """Return the milliseconds since a `time.monotonic()`."""
    return round(1e3 * (time.monotonic() - began), 2)
