from __future__ import annotations

from math import log2
from random import Random

import pytest

from prorank_search.evaluation.measures import NDCG, measure
from prorank_search.types import Qrel, ScoredDoc
from prorank_training.dev import REPLACE, choose_blend, mean_ndcg, ndcg, results, sample
from prorank_training.groups import DevQuery


def dev_query(
    collection: str, first_stage: list[float], relevances: list[int], ideal: list[int] | None = None
) -> DevQuery:
    texts = ["" for _ in first_stage]
    return DevQuery(collection, "?", texts, first_stage, relevances, ideal or sorted(relevances, reverse=True))


def test_ndcg_of_graded_relevance() -> None:
    got = 1 / log2(2) + 0 / log2(3) + 2 / log2(4)
    best = 2 / log2(2) + 1 / log2(3)
    assert ndcg([1, 0, 2], [2, 1]) == pytest.approx(got / best)


def test_ndcg_misses_what_the_first_stage_did_not_find() -> None:
    assert ndcg([1], [1, 1]) == pytest.approx(1 / (1 + 1 / log2(3)))


def test_ndcg_looks_no_further_than_its_cutoff() -> None:
    assert ndcg([0, 0, 1], [1], cutoff=2) == 0.0


def test_ndcg_of_a_query_without_relevant_documents_is_0() -> None:
    assert ndcg([0, 0], [0]) == 0.0


def test_ndcg_is_what_evaluations_measure() -> None:
    draw = Random(1)
    for _ in range(20):
        grades = [draw.choice([0, 0, 0, 1, 2]) for _ in range(30)] + [1]
        qrels = [Qrel("q", str(number), grade) for number, grade in enumerate(grades)]
        found = draw.sample(range(len(grades)), 20)
        run = {"q": [ScoredDoc("q", str(number), -float(place)) for place, number in enumerate(found)]}
        expected = measure(qrels, run, [NDCG])["q"][NDCG]
        assert ndcg([grades[number] for number in found], sorted(grades, reverse=True)) == pytest.approx(expected)


def test_collections_are_averaged_apart() -> None:
    queries = [dev_query("a", [2, 1], [0, 1]), dev_query("a", [2, 1], [1, 0]), dev_query("b", [2, 1], [1, 0])]
    expected = {"a": pytest.approx((1 / log2(3) + 1) / 2, abs=1e-4), "b": 1.0}
    assert mean_ndcg(queries, [query.first_stage_scores for query in queries]) == expected


def test_results_say_what_each_stage_reaches() -> None:
    queries = [dev_query("a", [2, 1], [0, 1])]
    assert results(queries, [[0.0, 1.0]], REPLACE) == {
        "a": {"bm25": pytest.approx(1 / log2(3), abs=1e-4), "model": 1.0, "blend": 1.0, "queries": 1}
    }


def test_the_model_alone_is_chosen_where_no_blend_is_better() -> None:
    assert choose_blend([dev_query("a", [3, 2, 1], [0, 0, 1])], [[0.0, 0.0, 9.0]]) == REPLACE


def test_a_blend_is_chosen_where_the_first_stage_helps() -> None:
    """Both stages put the relevant text second, behind different ones."""
    chosen = choose_blend([dev_query("a", [3.0, 2.9, 0.0], [0, 1, 0])], [[0.0, 2.9, 3.0]])
    assert chosen.score_mode == "total"
    assert chosen.normalize == "zscore"


def test_collections_count_alike_whatever_their_size() -> None:
    """Five queries of one collection lose less by the model's order than the one of another gains."""
    small = [dev_query("small", [9, 8, 7, 6, 1], [0, 0, 0, 0, 1])]
    large = [dev_query("large", [2, 1], [1, 0])] * 5
    assert choose_blend(small + large, [[0.0, 0.0, 0.0, 0.0, 1.0], *[[0.0, 1.0]] * 5]) == REPLACE


def test_a_sample_takes_the_first_queries_of_each_collection() -> None:
    queries = [dev_query(name, [float(number)], [1]) for number, name in enumerate("aabba")]
    assert sample(queries, 1) == [queries[0], queries[2]]
