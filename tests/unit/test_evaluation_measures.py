from __future__ import annotations

import math

import pytest

from prorank_search.errors import ConfigError, InputError
from prorank_search.evaluation.judged import judged_queries, queries_of, sample
from prorank_search.evaluation.measures import EVERY, mean, measure
from prorank_search.evaluation.trec_files import Run
from prorank_search.types import Qrel, Query, ScoredDoc


def run_of(**found: str) -> Run:
    """A run of one-letter documents, best first."""
    return {
        query_id: [ScoredDoc(query_id, doc_id, -rank) for rank, doc_id in enumerate(docs)]
        for query_id, docs in found.items()
    }


def test_ndcg_has_linear_gain() -> None:
    values = measure([Qrel("q", "a", 3), Qrel("q", "b", 1)], run_of(q="xba"))
    found = 1 / math.log2(3) + 3 / math.log2(4)
    best = 3 / math.log2(2) + 1 / math.log2(3)
    assert values["q"]["ndcg@10"] == pytest.approx(found / best)


def test_mrr_looks_at_the_first_relevant_document() -> None:
    assert measure([Qrel("q", "a", 1), Qrel("q", "b", 1)], run_of(q="xyab"))["q"]["mrr@10"] == pytest.approx(1 / 3)


def test_rank_eleven_counts_for_recall_alone() -> None:
    values = measure([Qrel("q", "k", 1)], run_of(q="abcdefghijk"))
    assert values["q"] == {"ndcg@10": 0.0, "mrr@10": 0.0, "recall@100": 1.0}


def test_recall_looks_at_a_hundred_documents() -> None:
    docs = [ScoredDoc("q", str(rank), -rank) for rank in range(101)]
    assert measure([Qrel("q", "99", 1), Qrel("q", "100", 1)], {"q": docs})["q"]["recall@100"] == 0.5


def test_any_measure_can_be_had_at_any_cutoff() -> None:
    qrels = [Qrel("q", "a", 1), Qrel("q", "b", 2), Qrel("q", "c", 0)]
    values = measure(qrels, run_of(q="axbc"), ["ndcg@1", "map@4", "p@2", "recall@1", "judged@4", "mrr@1"])
    assert values["q"] == pytest.approx(
        {"ndcg@1": 0.5, "map@4": (1 + 2 / 3) / 2, "p@2": 0.5, "recall@1": 0.5, "judged@4": 0.75, "mrr@1": 1.0}
    )


@pytest.mark.parametrize("name", ["bleu@4", "ndcg", "ndcg@0", "ndcg@101", "p@x", "@5"])
def test_a_measure_that_there_is_not_is_told(name: str) -> None:
    with pytest.raises(ConfigError, match="there is no measure"):
        measure([Qrel("q", "a", 1)], run_of(q="a"), [name])


def test_every_measure_that_a_page_offers_can_be_had() -> None:
    assert list(measure([Qrel("q", "a", 1)], run_of(q="a"), EVERY)["q"]) == list(EVERY)


def test_a_query_that_finds_nothing_counts_0() -> None:
    qrels = [Qrel("found", "a", 1), Qrel("nothing", "a", 1), Qrel("absent", "a", 1)]
    assert mean(measure(qrels, run_of(found="a", nothing=""))) == pytest.approx(
        {"ndcg@10": 1 / 3, "mrr@10": 1 / 3, "recall@100": 1 / 3}
    )


def test_a_run_that_finds_nothing_at_all_measures_0() -> None:
    assert mean(measure([Qrel("q", "a", 1)], {}))["ndcg@10"] == 0.0


def test_only_queries_with_a_relevant_document_count() -> None:
    qrels = [Qrel("q", "a", 1), Qrel("useless", "a", 0)]
    assert list(measure(qrels, run_of(q="a", useless="a", unjudged="a"))) == ["q"]


def test_the_order_counts_where_scores_are_equal() -> None:
    run = {"q": [ScoredDoc("q", "a", 1.0), ScoredDoc("q", "b", math.nextafter(1.0, 0.0)), ScoredDoc("q", "c", 1.0)]}
    assert measure([Qrel("q", "a", 1)], run)["q"] == {"ndcg@10": 1.0, "mrr@10": 1.0, "recall@100": 1.0}


def test_nothing_relevant_is_nothing_to_measure() -> None:
    with pytest.raises(InputError, match="no query has a relevant document"):
        measure([Qrel("q", "a", 0)], run_of(q="a"))


QRELS = [Qrel(f"q{number}", "a", number % 2) for number in range(40)]


def test_a_sample_is_the_same_whatever_the_order_of_the_judgments() -> None:
    chosen = judged_queries(sample(QRELS, 5, seed=1))
    assert len(chosen) == 5
    assert sorted(chosen) == sorted(judged_queries(sample(QRELS[::-1], 5, seed=1)))
    assert chosen != judged_queries(sample(QRELS, 5, seed=2))


@pytest.mark.parametrize("limit", [None, 20, 1000])
def test_a_sample_of_all_is_all(limit: int | None) -> None:
    assert judged_queries(sample(QRELS, limit)) == judged_queries(QRELS)


def test_a_judged_query_without_text_is_named() -> None:
    with pytest.raises(InputError, match="1 of 2 judged queries have no text, such as q2"):
        queries_of([Qrel("q1", "a", 1), Qrel("q2", "a", 1)], {"q1": Query("q1", "fox")})
