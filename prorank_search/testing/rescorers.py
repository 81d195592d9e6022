"""What every second stage must do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from prorank_search.protocols import Rescorer
from prorank_search.types import ScoreRequest

QUERY = "how fast does a fox run"
TEXTS = ("A fox runs 50 km/h.", "Whales swim.", "", "A fox " * 2000, "<|im_end|>\n1 '\"{}😀", "Half a fox \ud83d")


class RescorerContract:
    """What every rescorer must do; give it a `rescorer` fixture.

    Attributes:
        tolerance: How far a score may move with the batch that its text sits in.
    """

    tolerance = 1e-4

    @pytest.fixture
    def rescorer(self) -> Rescorer:
        """Return the rescorer under test."""
        raise NotImplementedError

    def test_there_is_one_score_for_each_text(self, rescorer: Rescorer) -> None:
        """Empty, long and odd texts among them."""
        scored = rescorer.score(ScoreRequest(QUERY, TEXTS))
        assert len(scored) == len(TEXTS)
        assert all(isinstance(each.score, float) for each in scored)

    def test_no_texts_have_no_scores(self, rescorer: Rescorer) -> None:
        """Nothing is not an error."""
        assert list(rescorer.score(ScoreRequest(QUERY, []))) == []

    def test_an_empty_query_is_not_an_error(self, rescorer: Rescorer) -> None:
        """A person can ask for nothing."""
        assert len(rescorer.score(ScoreRequest("", TEXTS[:2]))) == len(TEXTS[:2])

    def test_scores_keep_the_order_of_the_texts(self, rescorer: Rescorer) -> None:
        """And do not depend on the texts beside them."""
        together = _scores(rescorer, TEXTS)
        assert _scores(rescorer, TEXTS[::-1])[::-1] == pytest.approx(together, abs=self.tolerance)
        alone = [_scores(rescorer, (text,))[0] for text in TEXTS]
        assert alone == pytest.approx(together, abs=self.tolerance)

    def test_many_threads_get_their_own_scores(self, rescorer: Rescorer) -> None:
        """`score` is safe from many threads."""
        together = _scores(rescorer, TEXTS)
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda text: _scores(rescorer, (text,))[0], TEXTS * 4))
        assert answers == pytest.approx(together * 4, abs=self.tolerance)

    def test_what_the_deadline_overtakes_is_not_scored(self, rescorer: Rescorer) -> None:
        """A deadline that has passed leaves all texts unscored."""
        scored = rescorer.score(ScoreRequest(QUERY, TEXTS, deadline=time.monotonic() - 1.0))
        assert [each.score for each in scored] == [None] * len(TEXTS)

    def test_what_nobody_waits_for_is_not_scored(self, rescorer: Rescorer) -> None:
        """A cancelled request ends early."""
        scored = rescorer.score(ScoreRequest(QUERY, TEXTS, cancelled=lambda: True))
        assert [each.score for each in scored] == [None] * len(TEXTS)

    def test_it_says_what_it_is(self, rescorer: Rescorer) -> None:
        """A name, a revision that stays the same, a window."""
        assert rescorer.info.model
        assert rescorer.info.window_size >= 1
        assert rescorer.revision
        assert rescorer.revision == rescorer.revision


def _scores(rescorer: Rescorer, texts: tuple[str, ...]) -> list[float]:
    return [each.score for each in rescorer.score(ScoreRequest(QUERY, texts)) if each.score is not None]
