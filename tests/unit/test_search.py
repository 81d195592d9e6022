from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import AuthError, InputError
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


def test_who_may_not_list_indexes_gets_an_answer_without_hits_all_the_same(tmp_path: Path) -> None:
    class Guarded(TantivyBackend):
        def indexes(self) -> list[IndexInfo]:
            raise AuthError("not allowed")

    with TantivyBackend(tmp_path).writer("animals", analysis="english", replace=False) as writer:
        writer.add([Document("a", "a fox")])
        writer.publish()
    assert search("whale", index="animals", backend=Guarded(tmp_path)).hits == ()


@pytest.mark.parametrize(("top_k", "window_size"), [(0, 3), (-1, 3), (1, -1)])
def test_less_than_nothing_cannot_be_asked_for(backend: TantivyBackend, top_k: int, window_size: int) -> None:
    with pytest.raises(InputError, match=f"top_k={top_k}, window_size={window_size}"):
        search(
            "fox", index="animals", backend=backend, rescorer=OverlapRescorer(), top_k=top_k, window_size=window_size
        )
