"""The second stage: window, deadline, fall-back, order. Pure of I/O; the rescorer it is given may be anything."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from typing import Literal

from prorank_search.blend import combine, sigmoid
from prorank_search.errors import RescorerError
from prorank_search.profiles import Profile
from prorank_search.protocols import Rescorer
from prorank_search.types import (
    Blend,
    Calibration,
    Document,
    Hit,
    Ranking,
    RescoredHit,
    Scored,
    ScoreRequest,
    Status,
)

_SHARE_OF_DEADLINE = 0.7
"""What of a search's time the second stage may plan with."""

_LAST = (1, 0.0)
"""Where the tail stands among what has no score."""


@dataclass(frozen=True, slots=True)
class RescoreOptions:
    """How a ranking is rescored.

    Attributes:
        window_size: First-stage hits that are rescored; of a hit that has passages each of them is scored, and the best
            one's score is the hit's.
        blend: How both scores become one; None: the rescorer's own default.
        text_of: The text that the model sees of a document.
        instruction: What counts as relevant, where a model takes such a thing.
        deadline: `time.monotonic()` seconds.
        cancelled: True once nobody waits any longer.
        on_failure: `keep` answers in first-stage order when the rescorer fails, `error` raises.
    """

    window_size: int
    blend: Blend | None = None
    text_of: Callable[[Document], str] = Profile().text_of
    instruction: str | None = None
    deadline: float | None = None
    cancelled: Callable[[], bool] | None = None
    on_failure: Literal["keep", "error"] = "keep"


def rescore(ranking: Ranking, rescorer: Rescorer, options: RescoreOptions) -> tuple[tuple[RescoredHit, ...], Status]:
    """Rescore the top of a ranking.

    The order is: rescored hits by final score, hits of the window that were not scored, the tail beyond the window;
    the last two in first-stage order, of a chain those first that came far in it. Ties keep first-stage rank.

    Args:
        ranking: The first stage's answer.
        rescorer: Scores the texts.
        options: Window, blend, deadline and what to do on failure.

    Returns:
        All hits of the ranking in their new order, and what became of the second stage.

    Raises:
        RescorerError: The rescorer failed and `options.on_failure` is "error".
    """
    window = ranking.hits[: options.window_size]
    texts = [[options.text_of(document) for document in hit.passages or (hit.document,)] for hit in window]
    status = Status(
        state="ok",
        reason=rescorer.info.reason,
        window_size=len(window),
        model=rescorer.info.model,
        model_revision=rescorer.revision,
    )
    request = ScoreRequest(
        query=ranking.query.text,
        texts=[text for of_hit in texts for text in of_hit],
        instruction=options.instruction,
        deadline=options.deadline,
        cancelled=options.cancelled,
    )
    try:
        scored = checked(rescorer.score(request), len(request.texts), status.model) if window else []
    except RescorerError as error:
        if options.on_failure == "error":
            raise
        return keep_order(ranking), replace(status, state="degraded", reason=str(error))
    hits, best = best_passages(window, scored)
    rest = ranking.hits[len(window) :]
    blend = options.blend or rescorer.info.blend or Blend()
    return reorder((*hits, *rest), best, blend, rescorer.info.calibration), replace(judged(status, best), blend=blend)


def window_for(rescorer: Rescorer | None, wanted: int | Literal["auto"], timeout_s: float | None) -> int:
    """Return how many hits are rescored.

    Args:
        rescorer: The second stage; None: nothing is rescored.
        wanted: A number, or `auto`: the rescorer's own window, fewer where that does not fit the deadline.
        timeout_s: Seconds for the whole search; None: nobody waits.
    """
    if rescorer is None:
        return 0
    if wanted != "auto":
        return wanted
    info = rescorer.info
    return max(1, min(info.window_size, texts_in_time(rescorer, timeout_s)))


def texts_in_time(rescorer: Rescorer, timeout_s: float | None) -> int:
    """Return how many texts a rescorer is expected to score within a search's time."""
    seconds_a_text = rescorer.info.seconds_a_text
    if timeout_s is None or seconds_a_text == 0.0:
        return sys.maxsize
    return int(_SHARE_OF_DEADLINE * timeout_s / seconds_a_text)


def hits_within(hits: Sequence[Hit], texts: int) -> int:
    """Return how many of the first hits have together no more than so many texts to score, at least one."""
    so_far = accumulate(len(hit.passages) or 1 for hit in hits)
    return max(1, sum(1 for count in so_far if count <= texts))


def keep_order(ranking: Ranking) -> tuple[RescoredHit, ...]:
    """Return the hits of a ranking as they stand, none of them rescored."""
    return tuple(
        RescoredHit(
            document=hit.document,
            score=hit.score,
            rank=rank,
            first_stage_rank=rank,
            first_stage_score=hit.score,
            passage=hit.document.text if hit.passages else None,
            passage_rank=_passage_rank(hit),
        )
        for rank, hit in enumerate(ranking.hits, start=1)
    )


def reorder(
    hits: Sequence[Hit], scored: Sequence[Scored], blend: Blend, calibration: Calibration | None
) -> tuple[RescoredHit, ...]:
    """Put hits into their final order.

    Args:
        hits: The first stage's hits, in its order.
        scored: Scores of the first `len(scored)` hits.
        blend: How both scores become one.
        calibration: Turns rescore scores into probabilities.
    """
    scores = [answer.score for answer in scored]
    probabilities = [probability_of(score, calibration) for score in scores]
    positions = [position for position, score in enumerate(scores) if score is not None]
    final = combine(
        [hits[position].score for position in positions],
        [score for score in scores if score is not None],
        blend,
        [probability for probability in probabilities if probability is not None] if calibration else None,
    )
    best_first = sorted(zip(positions, final, strict=True), key=lambda pair: (-pair[1], pair[0]))
    rescored = set(positions)
    rest = [position for position in range(len(hits)) if position not in rescored]
    rest.sort(key=lambda position: _behind(scored[position]) if position < len(scored) else _LAST)
    shown = falling([score for _, score in best_first], len(rest), [hits[position].score for position in rest])
    order = [position for position, _ in best_first] + rest
    return tuple(
        RescoredHit(
            document=hits[position].document,
            score=score,
            rank=rank,
            first_stage_rank=position + 1,
            first_stage_score=hits[position].score,
            rescore_score=scores[position] if position < len(scores) else None,
            probability=probabilities[position] if position < len(scores) else None,
            truncated=scored[position].truncated if position < len(scored) else False,
            passage=hits[position].document.text if hits[position].passages else None,
            passage_rank=_passage_rank(hits[position]),
            parts=scored[position].parts if position < len(scored) else {},
        )
        for rank, (position, score) in enumerate(zip(order, shown, strict=True), start=1)
    )


def falling(rescored: Sequence[float], unscored: int, first_stage: Sequence[float]) -> list[float]:
    """Return one number for each hit of a final list, strictly falling, so that a format that sorts keeps the order.

    Args:
        rescored: Final scores of the rescored hits, not rising.
        unscored: How many hits follow without one.
        first_stage: Their first-stage scores, used as they are where nothing was rescored.

    Example:
        >>> falling([3.0, 3.0, 1.0], 2, [8.0, 7.0])
        [3.0, 2.9999999999999996, 1.0, 0.0, -1.0]
    """
    wanted = list(rescored) or list(first_stage)
    if rescored:
        wanted += [rescored[-1] - step for step in range(1, unscored + 1)]
    shown: list[float] = []
    for score in wanted:
        ceiling = math.nextafter(shown[-1], -math.inf) if shown else math.inf
        shown.append(min(score, ceiling))
    return shown


def best_passages(window: Sequence[Hit], scored: Sequence[Scored]) -> tuple[list[Hit], list[Scored]]:
    """Return each hit with the text of its best passage, and that passage's score; a whole document is its own."""
    hits, best = [], []
    answers = iter(scored)
    for hit in window:
        passages = hit.passages or (hit.document,)
        pairs = list(zip(passages, islice(answers, len(passages)), strict=True))
        passage, score = max(pairs, key=lambda pair: worth(pair[1]))
        shown = replace(hit.document, text=passage.text, passage_offsets=passage.passage_offsets)
        hits.append(replace(hit, document=shown))
        best.append(score)
    return hits, best


def worth(scored: Scored) -> tuple[float, tuple[int, float]]:
    """Return what answers are compared by: the score, and without one how far the text came in a chain."""
    return -math.inf if scored.score is None else scored.score, scored.reached


def _behind(scored: Scored) -> tuple[int, float]:
    parts, score = scored.reached
    return -parts, -score


def _passage_rank(hit: Hit) -> int | None:
    offsets = [passage.passage_offsets for passage in hit.passages]
    return 1 + offsets.index(hit.document.passage_offsets) if offsets else None


def counted(scored: Sequence[Scored], wanted: int, model: str | None) -> Sequence[Scored]:
    """Return a rescorer's answer, if it has one score for each text.

    Raises:
        RescorerError: There are too few or too many.
    """
    if len(scored) != wanted:
        raise RescorerError(f"{model!r} answered {wanted} texts with {len(scored)} scores")
    return scored


def checked(scored: Sequence[Scored], wanted: int, model: str | None) -> Sequence[Scored]:
    """Return a rescorer's answer, if an order can be made of it.

    Raises:
        RescorerError: There are too few, too many, or a score that is no number.
    """
    scores = [answer.score for answer in counted(scored, wanted, model)]
    broken = [score for score in scores if score is not None and not math.isfinite(score)]
    if broken:
        raise RescorerError(
            f"{model!r} gave {len(broken)} of {wanted} texts the score {broken[0]}: no order is in that"
        )
    return scored


def probability_of(score: float | None, calibration: Calibration | None) -> float | None:
    """Return a score's calibrated probability; None without a score or a calibration."""
    if score is None or calibration is None:
        return None
    return sigmoid(calibration.a * score + calibration.b)


def judged(status: Status, scored: Sequence[Scored]) -> Status:
    """Return what became of the second stage: whether all, some or none of the hits were scored in time."""
    done = sum(answer.score is not None or answer.left_out for answer in scored)
    query_truncated = any(answer.query_truncated for answer in scored)
    status = replace(status, parts=dict(Counter(name for answer in scored for name in answer.parts)))
    if done == len(scored):
        return replace(status, query_truncated=query_truncated)
    state: Literal["partial", "degraded"] = "partial" if done or status.parts else "degraded"
    reasons = [f"{done} of {len(scored)} hits were scored in time", status.reason]
    return replace(status, state=state, reason="; ".join(filter(None, reasons)), query_truncated=query_truncated)
