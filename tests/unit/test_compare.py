from __future__ import annotations

from dataclasses import replace

import pytest

from prorank_search.cli.compare import show
from prorank_search.movement import compare, movement, rank_biased_overlap
from prorank_search.types import Document, Query, RescoredHit, SearchResult, State, Status


def result(*first_stage_ranks: int, state: State = "ok", reason: str = "") -> SearchResult:
    """A result whose hits, best first, had these ranks in the first stage."""
    hits = tuple(
        RescoredHit(Document(f"d{before}", "text"), 1.0 / rank, rank, before, 1.0 / before)
        for rank, before in enumerate(first_stage_ranks, start=1)
    )
    return SearchResult(Query("", "words"), hits, Status(state, reason), {"total": 1.0})


def test_each_list_stands_in_its_own_order() -> None:
    comparison = compare(result(3, 1, 4, 2), top_k=2)
    assert [hit.document.doc_id for hit in comparison.first_stage] == ["d1", "d2"]
    assert [hit.document.doc_id for hit in comparison.second_stage] == ["d3", "d1"]


def test_a_hit_is_new_where_the_first_stage_did_not_show_it() -> None:
    hits = result(5, 1, 4, 3, 2).hits
    assert [movement(hit, 4) for hit in hits[:4]] == ["new", "down", "up", "down"]
    assert movement(result(1).hits[0], 4) == "same"


@pytest.mark.parametrize(
    ("compared", "summary"),
    [
        (result(3, 1, 4, 2), "1 of the first 2 is new; the best hit rose from 3 to 1."),
        (result(3, 4, 1, 2), "2 of the first 2 are new; the best hit rose from 3 to 1."),
        (result(2, 1, 3), "The first 2 are the same hits in another order; the best hit rose from 2 to 1."),
        (result(1, 2, 3), "Rescoring left the first 2 in their order; the best hit was first already."),
        (result(1, 3, 2), "1 of the first 2 is new; the best hit was first already."),
        (result(), "Nothing was found."),
        (result(reason="only stop words"), "Nothing was found: only stop words."),
        (result(1, state="skipped", reason="not asked"), "Both lists are the first stage's: not asked."),
        (result(1, state="degraded", reason="x"), "Both lists are the first stage's, since the second failed: x."),
        (
            result(1, state="partial", reason="x"),
            "Rescoring left the first 1 in their order; the best hit was first already; x.",
        ),
    ],
)
def test_the_summary_says_what_happened(compared: SearchResult, summary: str) -> None:
    assert compare(compared, top_k=2).summary == summary


def test_the_json_has_both_lists_and_what_a_search_tells() -> None:
    compared = result(2, 1)
    plain = compare(compared, top_k=1).to_json()
    assert list(plain) == ["query", "first_stage", "second_stage", "status", "took_ms", "summary"]
    assert plain["first_stage"] == compared.to_json()["hits"][1:]  # type: ignore[index]
    assert plain["second_stage"] == compared.to_json()["hits"][:1]  # type: ignore[index]


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        ("ok", "rescored by tiny, 7 ms"),
        ("partial", "rescored in part by tiny, 7 ms"),
        ("degraded", "BM25's order: no scores from tiny in 7 ms"),
        ("skipped", "BM25's order: not rescored"),
    ],
)
def test_the_second_list_is_headed_by_what_was_done(
    state: State, heading: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    model = None if state == "skipped" else "tiny"
    told = replace(
        result(2, 1), status=Status(state, model=model), took_ms={"first_stage": 2.0, "rescore": 7.0, "total": 9.0}
    )
    show(compare(told), top_k=2)
    assert heading in capsys.readouterr().out.splitlines()


def test_rank_biased_overlap_weighs_the_top_and_takes_a_short_list_for_the_start_of_a_long_one() -> None:
    letters = list("abcdefghij")
    assert rank_biased_overlap(["a"], ["a", "b", "c"]) == 1.0
    swapped_first = rank_biased_overlap(letters, ["b", "a", *letters[2:]])
    swapped_last = rank_biased_overlap(letters, [*letters[:8], "j", "i"])
    assert 0.8 < swapped_first < swapped_last < 1.0
    assert rank_biased_overlap(letters, letters[::-1]) == rank_biased_overlap(letters[::-1], letters)
    assert rank_biased_overlap([], letters) == 0.0
    assert rank_biased_overlap(["a", "b"], ["a", "c"], persistence=0.5) == 0.75
