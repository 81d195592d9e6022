"""Scores by cosine: what is computed, what is kept, and what a deadline leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from prorank_search.scoring.cosine import CosineRescorer, Encoded, open_vector_cache
from prorank_search.types import Scored, ScoreRequest


class CountingEncoder:
    """Turns a text into its length and its spaces, and remembers what it was asked for."""

    texts_a_pass = 2

    def __init__(self, revision: str = "1") -> None:
        self.revision = revision
        self.asked: list[str] = []
        self.closed = False

    def encode_query(self, query: str) -> Encoded:
        return _encoded(query)

    def encode_documents(self, texts: Sequence[str]) -> list[Encoded]:
        self.asked += texts
        return [_encoded(text) for text in texts]

    def close(self) -> None:
        self.closed = True


def _encoded(text: str) -> Encoded:
    vector = np.array([len(text), text.count(" ")], np.float32)
    return Encoded((vector / np.linalg.norm(vector)).astype(np.float16), len(text) > 10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "vectors.sqlite"


def opened(encoder: CountingEncoder, path: Path, limit_mb: int = 1) -> CosineRescorer:
    return CosineRescorer(encoder, "counting", open_vector_cache(path, limit_mb))


def test_a_score_is_the_cosine(path: Path) -> None:
    (scored,) = opened(CountingEncoder(), path).score(ScoreRequest("abc", ["a b c"]))
    assert scored.score == pytest.approx(5 / np.hypot(5, 2), abs=1e-3)


def test_a_vector_on_disk_gives_the_same_score_as_one_just_computed(path: Path) -> None:
    request = ScoreRequest("two words", ["some more words", "one", "a b"])
    first = opened(CountingEncoder(), path).score(request)
    again = opened(encoder := CountingEncoder(), path).score(request)
    assert first == again
    assert encoder.asked == []
    assert [scored.truncated for scored in again] == [True, False, False]


def test_a_document_is_read_once_for_all_queries(path: Path) -> None:
    rescorer = opened(encoder := CountingEncoder(), path)
    rescorer.score(ScoreRequest("one query", ["a", "b"]))
    rescorer.score(ScoreRequest("another", ["b", "c", "c"]))
    assert encoder.asked == ["a", "b", "c"]


def test_another_revision_reads_documents_anew(path: Path) -> None:
    opened(CountingEncoder("1"), path).score(ScoreRequest("q", ["a"]))
    opened(encoder := CountingEncoder("2"), path).score(ScoreRequest("q", ["a"]))
    assert encoder.asked == ["a"]


def test_a_bound_of_zero_keeps_nothing(path: Path) -> None:
    rescorer = opened(encoder := CountingEncoder(), path, limit_mb=0)
    for _ in range(2):
        rescorer.score(ScoreRequest("q", ["a"]))
    assert encoder.asked == ["a", "a"]
    assert not path.exists()


def test_what_is_over_ends_between_passes_and_the_first_hits_are_scored(path: Path) -> None:
    rescorer = opened(encoder := CountingEncoder(), path)
    request = ScoreRequest("q", ["a", "b", "c", "d"], cancelled=lambda: len(encoder.asked) >= 2)
    scored = rescorer.score(request)
    assert [each.score is None for each in scored] == [False, False, True, True]
    assert encoder.asked == ["a", "b"]


def test_what_is_kept_is_answered_even_where_the_rest_comes_too_late(path: Path) -> None:
    rescorer = opened(encoder := CountingEncoder(), path)
    rescorer.score(ScoreRequest("q", ["c"]))
    looks = iter([False, True])
    scored = rescorer.score(ScoreRequest("q", ["a", "c"], cancelled=lambda: next(looks)))
    assert scored[0] == Scored(None)
    assert scored[1].score is not None
    assert encoder.asked == ["c"]


def test_closing_it_closes_the_model(path: Path) -> None:
    encoder = CountingEncoder()
    opened(encoder, path).close()
    assert encoder.closed
