"""What a judge has to do, and what he sees of it."""

from __future__ import annotations

from prorank_search.evaluation.agreement import Disputed
from prorank_search.judgments import Judgment
from prorank_search.judgments.pooling import Pooled
from prorank_search.types import Document, RescoredHit
from prorank_ui.judge.judge_card import LONGEST, card, disputed_table, said_table
from prorank_ui.judge.judging import MINE, NOBODY, SKIPPED, Work, proposals, work

ORDER = ["q1", "q2", "q3"]
POOLS = {"q1": ["a", "b", "c"], "q2": ["a"]}


def said(query_id: str, doc_id: str, judge: str = "ada", relevance: int | None = 1) -> Judgment:
    return Judgment("set", query_id, doc_id, judge, relevance)


def of(which: str, *judgments: Judgment) -> Work:
    return work(ORDER, POOLS, judgments, "ada", which)


def test_what_a_judge_said_does_not_wait_and_what_others_and_models_said_does() -> None:
    proposal = Judgment("set", "q1", "c", "ada", 3, origin="model")
    mine = of(MINE, said("q1", "a"), said("q1", "b", "bo"), proposal)
    assert set(mine.hits("q1", "ada")) == {"b", "c"}
    assert mine.judged("q1") == 1
    assert mine.judged_of_all == (1, 4)


def test_skips_are_done_until_they_are_asked_for() -> None:
    skip = said("q1", "a", relevance=None)
    assert "a" not in of(MINE, skip).hits("q1", "ada")
    assert of(SKIPPED, skip, said("q1", "b")).hits("q1", "ada") == ["a"]
    assert of(SKIPPED).next_query(None) is None


def test_skips_and_what_was_never_looked_at_do_not_count_as_judged() -> None:
    judgments = [said("q1", "a", relevance=None), said("q1", "b"), said("q2", "a", "bo")]
    for which, here, whole in ((MINE, 1, 1), (SKIPPED, 1, 1), (NOBODY, 1, 2)):
        found = of(which, *judgments)
        assert (found.judged("q1"), found.judged_of_all) == (here, (whole, 4))
    assert [of(which, *judgments).finished for which in (MINE, SKIPPED, NOBODY)] == [0, 0, 1]
    assert of(MINE, said("q2", "a", relevance=None)).finished == 1


def test_hits_that_nobody_judged_are_those_without_any_grade() -> None:
    others = [said("q1", "a", "bo"), said("q1", "b", "bo", None), said("q2", "a", "bo", 0)]
    assert of(NOBODY, *others).waiting == {"q1": ["b", "c"]}


def test_the_next_query_has_hits_left_or_no_pool_yet_and_is_looked_for_all_around() -> None:
    mine = of(MINE, said("q2", "a"))
    assert mine.next_query(None) == "q1"
    assert mine.next_query("q2") == "q3"
    assert mine.next_query("q2", empty={"q3"}) == "q1"
    assert mine.next_unpooled("q1") == "q3"
    assert mine.finished == 1
    whole = [said(query, doc) for query, pool in POOLS.items() for doc in pool]
    assert of(MINE, *whole).next_query("q1", empty={"q3"}) is None


def test_a_model_proposes_a_grade_for_each_hit_with_a_probability_once() -> None:
    sure, unsure, unscored = (
        RescoredHit(Document(name, ""), 1.0, 1, 1, 1.0, probability=probability)
        for name, probability in (("sure", 0.9), ("unsure", 0.3), ("unscored", None))
    )
    known = [Judgment("set", "q1", "unsure", "model-1", 1, origin="model")]
    assert proposals("set", "q1", "model-1", [sure, unsure, unscored], known) == [
        Judgment("set", "q1", "sure", "model-1", 3, origin="model")
    ]


def test_nothing_of_a_hit_is_html_and_ranks_and_proposals_show_only_when_asked_for() -> None:
    evil = '<script>alert("x")</script>'
    hit = Pooled(Document(f"d{evil}", evil, title=evil, metadata={evil: evil}), {f"BM25 {evil}": 3}, ("alert",))
    proposed = [Judgment("set", "q1", "d", evil, 2, origin="model")]
    for html in (
        card(evil, hit, ranks=True, proposals=proposed),
        said_table([Judgment("set", "q1", "d", "ada", 1, comment=evil)], [evil]),
        disputed_table([Disputed("q1", evil, {evil: 1})], [evil]),
    ):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
    assert "rank 3" not in card("q", hit)
    assert "proposes" not in card("q", hit)
    assert "rank 3" in card("q", hit, ranks=True)
    assert "proposes: relevant" in card("q", hit, proposals=proposed)


def test_of_a_long_document_the_beginning_is_shown_and_that_is_said() -> None:
    html = card("q", Pooled(Document("d", "x" * 1_000_000), {}))
    assert len(html) < 2 * LONGEST
    assert "The first 20,000 of 1,000,000 characters" in html
