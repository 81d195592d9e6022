"""Rescoring documents by their passages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from prorank_search.passages import parent_hit, passage_of
from prorank_search.profiles import Profile
from prorank_search.rescore import RescoreOptions, hits_within, keep_order, rescore
from prorank_search.types import Document, Hit, Query, Ranking, RescoredHit, RescorerInfo, Scored, ScoreRequest

FOX = Document("fox", "one two three", "T")
HEN = Document("hen", "four five", "T")
RANKING = Ranking(
    Query("q", "words"),
    (
        parent_hit(
            [Hit(passage_of(FOX, 0, 3), 9.0), Hit(passage_of(FOX, 4, 7), 8.0), Hit(passage_of(FOX, 8, 13), 1.0)]
        ),
        parent_hit([Hit(passage_of(HEN, 5, 9), 7.0), Hit(passage_of(HEN, 0, 4), 6.0)]),
        Hit(Document("owl", "six"), 5.0),
    ),
)


class Knows:
    """Scores the texts that it knows; the deadline overtakes all others."""

    revision = "1"
    info = RescorerInfo("it")

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores
        self.asked: list[str] = []

    def score(self, request: ScoreRequest) -> list[Scored]:
        self.asked = [text.removeprefix("T\n") for text in request.texts]
        return [Scored(self._scores.get(text), truncated=text == "two") for text in self.asked]


def shown(hits: tuple[RescoredHit, ...]) -> list[tuple[str, str | None, int | None, float | None]]:
    return [(hit.document.doc_id, hit.passage, hit.passage_rank, hit.rescore_score) for hit in hits]


def test_the_best_passage_gives_its_document_the_score_and_is_shown() -> None:
    scores = {"one": 0.0, "two": 2.0, "three": 1.0, "five": 3.0, "four": 1.0, "six": 0.5}
    hits, status = rescore(RANKING, Knows(scores), RescoreOptions(3))
    assert shown(hits) == [("hen", "five", 1, 3.0), ("fox", "two", 2, 2.0), ("owl", None, None, 0.5)]
    assert hits[1].document == Document("fox", "two", "T", passage_offsets=(4, 7))
    assert hits[1].truncated
    assert (status.state, status.window_size) == ("ok", 3)


def test_the_window_counts_documents() -> None:
    rescorer = Knows({"one": 1.0, "two": 2.0, "three": 3.0})
    hits, status = rescore(RANKING, rescorer, RescoreOptions(1))
    assert rescorer.asked == ["one", "two", "three"]
    assert status.window_size == 1
    assert shown(hits)[1:] == [("hen", "five", 1, None), ("owl", None, None, None)]


def test_a_document_with_a_passage_that_was_scored_in_time_is_scored() -> None:
    hits, status = rescore(RANKING, Knows({"one": 1.0}), RescoreOptions(3))
    assert shown(hits) == [("fox", "one", 1, 1.0), ("hen", "five", 1, None), ("owl", None, None, None)]
    assert (status.state, status.reason) == ("partial", "1 of 3 hits were scored in time")


def test_without_rescoring_the_first_stages_passage_is_shown() -> None:
    assert shown(keep_order(RANKING))[:2] == [("fox", "one", 1, None), ("hen", "five", 1, None)]


@pytest.mark.parametrize(("texts", "hits"), [(0, 1), (3, 1), (4, 1), (5, 2), (6, 3), (100, 3)])
def test_passages_count_as_texts_in_what_the_deadline_leaves_time_for(texts: int, hits: int) -> None:
    assert hits_within(RANKING.hits, texts) == hits


@pytest.mark.parametrize(
    ("own", "info", "wanted"),
    [
        (None, None, 1),
        (None, RescorerInfo("it", passages_per_hit=3), 3),
        (2, RescorerInfo("it", passages_per_hit=3), 2),
        (2, None, 1),
    ],
)
def test_as_many_passages_are_wanted_as_will_be_scored(own: int | None, info: RescorerInfo | None, wanted: int) -> None:
    request = Profile(passages_per_hit=own).request("animals", Query("q", "words"), 10, info)
    assert request.passages_per_hit == wanted
