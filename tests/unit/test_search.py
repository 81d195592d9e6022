from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import AuthError, InputError, ProRankError, UnreachableError
from prorank_search.profiles import Profile
from prorank_search.protocols import IndexInfo
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.search import search
from prorank_search.types import Document


@pytest.fixture
def backend(tmp_path: Path) -> TantivyBackend:
    """An index in which BM25 puts a before b before c for "fox den", and only c, which is long, holds both words."""
    backend = TantivyBackend(tmp_path)
    with backend.writer("animals", analysis="standard", replace=False) as writer:
        writer.add([Document("a", "fox fox"), Document("b", "den den"), Document("c", "fox den" + " x" * 100)])
        writer.publish()
    return backend


@pytest.mark.parametrize(("window_size", "expected"), [(5, "cab"), (3, "cab"), (2, "abc"), (0, "abc")])
def test_more_hits_than_the_window_bring_the_tail(backend: TantivyBackend, window_size: int, expected: str) -> None:
    result = search("fox den", index="animals", backend=backend, rescorer=OverlapRescorer(), window_size=window_size)
    assert "".join(hit.document.doc_id for hit in result.hits) == expected
    rescored = [hit for hit in result.hits if hit.rescore_score is not None]
    assert len(rescored) == result.status.window_size == min(window_size, 3)


def test_the_whole_window_comes_back_with_highlights_of_what_either_order_shows(backend: TantivyBackend) -> None:
    result = search(
        "fox den",
        index="animals",
        backend=backend,
        rescorer=OverlapRescorer(),
        top_k=1,
        window_size=3,
        whole_window=True,
    )
    highlights = {hit.document.doc_id: hit.highlights for hit in result.hits}
    assert highlights == {"c": ("fox", "den"), "a": ("fox",), "b": ()}


@pytest.mark.parametrize(
    ("text", "wanted", "reason"),
    [
        ("zebra", None, ""),
        ("?!", None, "there is no word in the query"),
        (
            "To be, or not to be",
            None,
            "the query has only words that the analysis 'english' leaves out: to, be, or, not",
        ),
        ("fox", {"kind": "bird", "year": 2020}, "lets only documents with kind = 'bird', year = 2020 be found"),
        ("the", {"kind": "bird"}, "leaves out: the"),
    ],
)
@pytest.mark.parametrize("rescorer", [None, OverlapRescorer()])
def test_an_answer_without_hits_says_why(
    tmp_path: Path, text: str, wanted: dict[str, object] | None, reason: str, rescorer: OverlapRescorer | None
) -> None:
    backend = TantivyBackend(tmp_path)
    with backend.writer("animals", analysis="english", replace=False) as writer:
        writer.add([Document("a", "a fox", metadata={"kind": "mammal"})])
        writer.publish()
    profile = Profile(filter=wanted)
    result = search(text, index="animals", backend=backend, rescorer=rescorer, profile=profile)
    assert result.hits == ()
    assert result.status.reason.endswith(reason)
    assert bool(result.status.reason) is bool(reason)


@pytest.mark.parametrize("error", [AuthError("not allowed"), UnreachableError("gone"), InputError("several indexes")])
def test_without_hits_there_is_an_answer_even_where_nothing_more_can_be_learnt(
    tmp_path: Path, error: ProRankError
) -> None:
    class Guarded(TantivyBackend):
        def published(self, index: str) -> IndexInfo | None:
            assert index == "animals"
            raise error

    with TantivyBackend(tmp_path).writer("animals", analysis="english", replace=False) as writer:
        writer.add([Document("a", "a fox")])
        writer.publish()
    result = search("the", index="animals", backend=Guarded(tmp_path))
    assert (result.hits, result.status.reason) == ((), "")


def test_words_that_cannot_be_marked_do_not_cost_the_order(
    backend: TantivyBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> list[tuple[str, ...]]:
        raise UnreachableError("the node restarts")

    monkeypatch.setattr(backend, "highlights", fail)
    result = search("fox den", index="animals", backend=backend, rescorer=OverlapRescorer(), window_size=3)
    assert [(hit.document.doc_id, hit.highlights) for hit in result.hits] == [("c", ()), ("a", ()), ("b", ())]
    assert "the node restarts" in caplog.text


@pytest.mark.parametrize(("top_k", "window_size"), [(0, 3), (-1, 3), (1, -1)])
def test_less_than_nothing_cannot_be_asked_for(backend: TantivyBackend, top_k: int, window_size: int) -> None:
    with pytest.raises(InputError, match=f"top_k={top_k}, window_size={window_size}"):
        search(
            "fox", index="animals", backend=backend, rescorer=OverlapRescorer(), top_k=top_k, window_size=window_size
        )
