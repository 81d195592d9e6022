from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import pytest

from prorank_search.blend import combine
from prorank_search.errors import RescorerError
from prorank_search.rescore import RescoreOptions, falling, rescore, window_for
from prorank_search.types import (
    Blend,
    Calibration,
    Document,
    Hit,
    Query,
    Ranking,
    RescoredHit,
    RescorerInfo,
    Scored,
    ScoreRequest,
    Status,
)

BROKEN = [([1.0], "3 texts with 1 scores"), ([1.0] * 4, "3 texts with 4 scores")]
BROKEN += [([1.0, number, 2.0], f"score {number}") for number in (math.nan, math.inf, -math.inf)]


class Says:
    """Answers whatever it is asked with the same scores."""

    revision = "1"

    def __init__(self, scores: Sequence[float | None], info: RescorerInfo) -> None:
        self._scores = scores
        self.info = info

    def score(self, request: ScoreRequest) -> list[Scored]:
        del request
        return [Scored(score) for score in self._scores]


def rescored(
    scores: Sequence[float | None],
    *,
    hits: int = 5,
    info: RescorerInfo | None = None,
    options: RescoreOptions | None = None,
) -> tuple[tuple[RescoredHit, ...], Status]:
    """Rescore hits a, b, c ... with the first-stage scores 10, 9, 8 ..."""
    ranking = Ranking(
        Query("q", "words"), tuple(Hit(Document("abcdefgh"[at], "text"), 10.0 - at) for at in range(hits))
    )
    return rescore(ranking, Says(scores, info or RescorerInfo("it")), options or RescoreOptions(len(scores)))


def order(hits: Sequence[RescoredHit]) -> str:
    return "".join(hit.document.doc_id for hit in hits)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1.0, 3.0, 2.0], "bcade"),  # behind the window the tail
        ([2.0, 2.0, 2.0], "abcde"),  # ties keep first-stage rank
        ([1.0, None, 2.0], "cabde"),  # what was not scored stands before the tail
        ([None, None, 2.0], "cabde"),
        ([None, None, None], "abcde"),
        ([], "abcde"),
        ([-1e300, 0.0, 1e300], "cbade"),
    ],
)
def test_the_order_is_rescored_then_unscored_then_tail(scores: list[float | None], expected: str) -> None:
    hits, status = rescored(scores)
    assert order(hits) == expected
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert all(before.score > after.score for before, after in pairwise(hits))
    assert {hit.document.doc_id: hit.rescore_score for hit in hits} == dict(
        zip("abcde", [*scores, *[None] * 5], strict=False)
    )
    assert status.window_size == len(scores)


def test_what_was_not_scored_in_time_is_told() -> None:
    info = RescorerInfo("it", reason="untrained")
    assert rescored([1.0, None], info=info)[1].state == "partial"
    assert rescored([1.0, None], info=info)[1].reason == "1 of 2 hits were scored in time; untrained"
    assert rescored([None, None])[1].state == "degraded"
    assert rescored([1.0, 2.0])[1].state == "ok"


@pytest.mark.parametrize(("scores", "complaint"), BROKEN)
def test_answers_that_no_order_can_be_made_of_keep_the_first_stages(scores: list[float], complaint: str) -> None:
    hits, status = rescored(scores, options=RescoreOptions(3))
    assert (order(hits), status.state) == ("abcde", "degraded")
    assert complaint in status.reason


@pytest.mark.parametrize(("scores", "complaint"), BROKEN)
def test_and_are_an_error_where_failures_are(scores: list[float], complaint: str) -> None:
    with pytest.raises(RescorerError, match=complaint):
        rescored(scores, options=RescoreOptions(3, on_failure="error"))


def test_a_blend_looks_at_the_scored_hits_alone() -> None:
    blend = Blend("total", "minmax")
    hits, _ = rescored([0.0, 4.0, None], options=RescoreOptions(3, blend=blend))
    assert [(hit.document.doc_id, hit.score) for hit in hits[:2]] == [("a", 1.0), ("b", pytest.approx(1.0))]


def test_multiply_takes_the_calibrated_probability() -> None:
    info = RescorerInfo("it", Calibration(2.0, 0.0), Blend("multiply"))
    hits, _ = rescored([0.0, 1.0], info=info)
    probability = 1 / (1 + math.exp(-2.0))
    assert [hit.score for hit in hits[:2]] == pytest.approx([9.0 * probability, 5.0])
    assert [hit.probability for hit in hits[:3]] == [pytest.approx(probability), 0.5, None]


def test_rrf_counts_ranks() -> None:
    assert combine([9.0, 5.0], [-1.0, 1.0], Blend("rrf", rescore_query_weight=0.0)) == [1 / 61, 1 / 62]


@pytest.mark.parametrize("scores", [[1e17, 1e17], [5e-324, 0.0], [0.0, -0.0], [-1e308, -1e308]])
def test_presentation_scores_fall_strictly_whatever_the_size(scores: list[float]) -> None:
    shown = falling(scores, 3, [])
    assert all(before > after for before, after in pairwise(shown))


@pytest.mark.parametrize(
    ("wanted", "seconds_a_text", "timeout_s", "expected"),
    [
        (50, 1.0, 2.0, 50),  # whoever names a number gets it
        ("auto", 0.0, 2.0, 30),  # nothing is known of the speed
        ("auto", 1.0, None, 30),  # nobody waits
        ("auto", 0.1, 2.1, 14),
        ("auto", 0.01, 2.0, 30),
        ("auto", 9.0, 2.0, 1),
    ],
)
def test_the_automatic_window_fits_the_deadline_of_this_search(
    wanted: int | Literal["auto"], seconds_a_text: float, timeout_s: float | None, expected: int
) -> None:
    says = Says([], RescorerInfo("it", window_size=30, seconds_a_text=seconds_a_text))
    assert window_for(says, wanted, timeout_s) == expected


def test_without_a_second_stage_there_is_no_window() -> None:
    assert window_for(None, 30, None) == 0


def test_the_status_says_how_both_scores_became_one() -> None:
    blend = Blend("total", "zscore", 1.0, 2.0)
    assert rescored([2.0, 1.0], options=RescoreOptions(2, blend=blend))[1].blend == blend
    assert rescored([2.0, 1.0], info=RescorerInfo("it", blend=blend))[1].blend == blend
    assert rescored([2.0, 1.0])[1].blend == Blend()
