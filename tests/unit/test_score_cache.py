from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from prorank_search.errors import ConfigError, RescorerError
from prorank_search.evaluation.score_cache import CachedRescorer, open_score_cache
from prorank_search.storage.memory_cache import MemoryCache
from prorank_search.types import RescorerInfo, Scored, ScoreRequest


class CountingRescorer:
    """Scores a text by its length and remembers what it was asked for."""

    info = RescorerInfo(model="counting")
    odd: ClassVar[dict[str, float | None]] = {"late": None, "faulty": math.nan}

    def __init__(self, revision: str = "1") -> None:
        self.revision = revision
        self.asked: list[str] = []

    def score(self, request: ScoreRequest) -> list[Scored]:
        self.asked += request.texts
        return [Scored(self.odd.get(text, len(text)), text == "long") for text in request.texts]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "scores.sqlite"


def test_what_was_scored_once_is_not_scored_again(path: Path) -> None:
    inner = CountingRescorer()
    cached = CachedRescorer(inner, open_score_cache(path, 1))
    first = cached.score(ScoreRequest("query", ["a", "long"]))
    assert cached.score(ScoreRequest("query", ["long", "new", "a"])) == [first[1], Scored(3.0), first[0]]
    assert first[1].truncated
    assert inner.asked == ["a", "long", "new"]


def test_scores_outlive_the_process(path: Path) -> None:
    CachedRescorer(CountingRescorer(), open_score_cache(path, 1)).score(ScoreRequest("query", ["a"]))
    inner = CountingRescorer()
    assert CachedRescorer(inner, open_score_cache(path, 1)).score(ScoreRequest("query", ["a"])) == [Scored(1.0)]
    assert inner.asked == []


@pytest.mark.parametrize(
    ("revision", "request_"),
    [
        ("2", ScoreRequest("query", ["a"])),
        ("1", ScoreRequest("another", ["a"])),
        ("1", ScoreRequest("query", ["b"])),
        ("1", ScoreRequest("query", ["a"], instruction="be strict")),
        ("1", ScoreRequest("query", ["a"], instruction="")),
    ],
)
def test_whatever_may_change_a_score_has_it_computed_anew(path: Path, revision: str, request_: ScoreRequest) -> None:
    CachedRescorer(CountingRescorer(), open_score_cache(path, 1)).score(ScoreRequest("query", ["a"]))
    inner = CountingRescorer(revision)
    CachedRescorer(inner, open_score_cache(path, 1)).score(request_)
    assert inner.asked == request_.texts


def test_a_text_that_stands_twice_is_scored_once(path: Path) -> None:
    inner = CountingRescorer()
    assert (
        CachedRescorer(inner, open_score_cache(path, 1)).score(ScoreRequest("query", ["a", "a"])) == [Scored(1.0)] * 2
    )
    assert inner.asked == ["a"]


@pytest.mark.parametrize("text", ["late", "faulty"])
def test_what_is_no_score_is_not_kept(path: Path, text: str) -> None:
    cached = CachedRescorer(inner := CountingRescorer(), open_score_cache(path, 1))
    for _ in range(2):
        (scored,) = cached.score(ScoreRequest("query", [text]))
        assert scored.score is None or math.isnan(scored.score)
    assert inner.asked == [text, text]


def test_the_file_stays_within_its_bound_and_the_newest_scores_stay(path: Path) -> None:
    inner = CountingRescorer()
    cached = CachedRescorer(inner, open_score_cache(path, 0.1))
    for query in range(60):
        cached.score(ScoreRequest(str(query), [f"text {number}" for number in range(50)]))
    inner.asked.clear()
    cached.score(ScoreRequest("59", ["text 0"]))
    assert inner.asked == []
    cached.score(ScoreRequest("0", ["text 0"]))
    assert inner.asked == ["text 0"]
    cached.close()
    assert 50_000 < path.stat().st_size <= 100_000


def test_two_open_caches_see_each_others_scores(path: Path) -> None:
    one = CachedRescorer(CountingRescorer(), open_score_cache(path, 1))
    two = CachedRescorer(inner := CountingRescorer(), open_score_cache(path, 1))
    one.score(ScoreRequest("query", ["a"]))
    two.score(ScoreRequest("query", ["a", "b"]))
    assert inner.asked == ["b"]


def test_a_failing_rescorer_leaves_the_cache_usable(path: Path) -> None:
    class Failing(CountingRescorer):
        def score(self, request: ScoreRequest) -> list[Scored]:
            raise RescorerError(f"out of memory for {len(request.texts)} texts")

    with pytest.raises(RescorerError, match="out of memory"):
        CachedRescorer(Failing(), open_score_cache(path, 1)).score(ScoreRequest("query", ["a"]))
    assert CachedRescorer(CountingRescorer(), open_score_cache(path, 1)).score(ScoreRequest("query", ["a"])) == [
        Scored(1.0)
    ]


def test_what_is_kept_can_be_asked_for_without_the_rescorer(path: Path) -> None:
    cached = CachedRescorer(inner := CountingRescorer(), open_score_cache(path, 1))
    cached.score(ScoreRequest("query", ["a"]))
    assert cached.known(ScoreRequest("query", ["b", "a"])) == [None, Scored(1.0)]
    assert inner.asked == ["a"]


def test_scores_in_memory_are_found_on_disk_after_a_restart(path: Path) -> None:
    for asked in (["a"], []):
        cache = MemoryCache(1, open_score_cache(path, 1))
        cached = CachedRescorer(inner := CountingRescorer(), cache)
        assert cached.score(ScoreRequest("query", ["a"])) == [Scored(1.0)]
        assert (inner.asked, len(cache)) == (asked, 1)
        cached.close()


def test_the_cache_says_what_its_rescorer_says(path: Path) -> None:
    cached = CachedRescorer(CountingRescorer("7"), open_score_cache(path, 1))
    assert (cached.revision, cached.info.model) == ("7", "counting")


def _no_database(path: Path) -> None:
    path.write_text("this is no database, but a text that is long enough to be none" * 20)


def _another_table(path: Path) -> None:
    sqlite3.connect(path).execute("CREATE TABLE scores (something)")


@pytest.mark.parametrize("spoil", [_no_database, _another_table])
def test_a_file_that_is_no_cache_says_how_to_go_on(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "scores.sqlite")
    with pytest.raises(ConfigError, match=r"scores\.sqlite cannot be used .* delete it, or .*--no-cache"):
        CachedRescorer(CountingRescorer(), open_score_cache(tmp_path / "scores.sqlite", 1)).score(
            ScoreRequest("query", ["a"])
        )


def test_work_that_was_cut_off_goes_on_where_it_stopped(path: Path) -> None:
    class CutOff(CountingRescorer):
        def score(self, request: ScoreRequest) -> list[Scored]:
            if len(self.asked) == 3:
                raise KeyboardInterrupt
            return super().score(request)

    def work(rescorer: CountingRescorer) -> None:
        cached = CachedRescorer(rescorer, open_score_cache(path, 1))
        for query in range(5):
            cached.score(ScoreRequest(str(query), ["text"]))

    with pytest.raises(KeyboardInterrupt):
        work(CutOff())
    work(inner := CountingRescorer())
    assert inner.asked == ["text", "text"]


@pytest.mark.parametrize("more", [-1, 1])
def test_a_rescorer_that_miscounts_failed(path: Path, more: int) -> None:
    class Miscounting(CountingRescorer):
        def score(self, request: ScoreRequest) -> list[Scored]:
            return [Scored(1.0)] * (len(request.texts) + more)

    with pytest.raises(RescorerError, match=f"answered 2 texts with {2 + more} scores"):
        CachedRescorer(Miscounting(), open_score_cache(path, 1)).score(ScoreRequest("query", ["a", "b"]))
