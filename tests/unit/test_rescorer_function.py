from __future__ import annotations

import time

import pytest

from prorank_search.errors import RescorerError
from prorank_search.protocols import Rescorer
from prorank_search.rescorers import from_function
from prorank_search.types import Scored, ScoreRequest


def test_a_function_becomes_a_rescorer() -> None:
    rescorer = from_function(lambda query, texts: [text.count(query) for text in texts], name="count")
    assert isinstance(rescorer, Rescorer)
    assert rescorer.score(ScoreRequest("a", ["banana", "kiwi"])) == [Scored(3.0), Scored(0.0)]
    assert rescorer.info.model == "count"


def test_a_revision_is_new_each_time_unless_it_is_given() -> None:
    def score(_: str, texts: object) -> list[float]:
        raise AssertionError(texts)

    assert from_function(score).revision != from_function(score).revision
    assert from_function(score, revision="3").revision == "3"


@pytest.mark.parametrize("scores", [[], [1.0], [1.0, float("nan")]])
def test_a_function_that_does_not_score_each_text_is_refused(scores: list[float]) -> None:
    with pytest.raises(RescorerError, match="a finite number for each of 2 texts"):
        from_function(lambda _query, _texts: scores).score(ScoreRequest("query", ["a", "b"]))


@pytest.mark.parametrize(
    "request_",
    [
        ScoreRequest("query", ["a", "b"], deadline=time.monotonic() - 1),
        ScoreRequest("query", ["a", "b"], cancelled=lambda: True),
    ],
)
def test_nothing_is_computed_when_nobody_waits(request_: ScoreRequest) -> None:
    def score(_: str, texts: object) -> list[float]:
        raise AssertionError(texts)

    assert from_function(score).score(request_) == [Scored(None)] * 2
