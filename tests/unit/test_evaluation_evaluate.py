"""Both stages measured: an embedded index, and rescorers made of functions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prorank_search import Document, Profile, Query, RescoreOptions, load_backend
from prorank_search.errors import InputError, RescorerError
from prorank_search.evaluation.evaluate import FirstStage, evaluate, evaluate_run, first_stage_of
from prorank_search.evaluation.rescore_run import documents_of, rescore_run
from prorank_search.protocols import Rescorer
from prorank_search.rescorers import from_function
from prorank_search.settings import load_settings
from prorank_search.types import Qrel, ScoredDoc

TEXTS = {
    "goose": "goose goose goose",
    "grey": "a grey goose in the reeds",
    "walk": "we walked for hours and saw a goose",
    "fox": "a red fox",
}
QUERIES = {"q1": Query("q1", "goose"), "q2": Query("q2", "zebra"), "fox": Query("fox", "red fox goose")}
QRELS = [Qrel("q1", "walk", 1), Qrel("q2", "fox", 1), Qrel("fox", "grey", 1)]


@pytest.fixture
def find() -> FirstStage:
    backend = load_backend(load_settings())
    with backend.writer("animals", analysis="english", replace=False) as writer:
        writer.add(Document(doc_id, text) for doc_id, text in TEXTS.items())
        writer.publish()
    return first_stage_of(backend, "animals", Profile())


def _longest(_: str, texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


@pytest.fixture
def longest() -> Rescorer:
    return from_function(_longest, name="longest")


def test_both_stages_are_measured(find: FirstStage, longest: Rescorer) -> None:
    evaluation = evaluate(QUERIES, QRELS, find, longest)
    assert evaluation.first_stage["q1"]["mrr@10"] == pytest.approx(1 / 3)
    assert evaluation.second_stage is not None
    assert evaluation.second_stage["q1"]["mrr@10"] == 1.0
    assert evaluation.comparison is not None
    assert (evaluation.comparison.wins, evaluation.comparison.ties, evaluation.comparison.losses) == (1, 2, 0)


def test_a_query_that_finds_nothing_counts_0_in_both(find: FirstStage, longest: Rescorer) -> None:
    evaluation = evaluate(QUERIES, QRELS, find, longest)
    assert evaluation.to_json()["queries"] == 3
    assert evaluation.second_stage is not None
    assert evaluation.first_stage["q2"]["recall@100"] == evaluation.second_stage["q2"]["recall@100"] == 0.0


def test_a_querys_own_document_is_dropped(find: FirstStage) -> None:
    evaluation = evaluate(QUERIES, QRELS, find)
    assert {scored.doc_id for scored in evaluation.runs["first_stage"]["fox"]} == {"goose", "grey", "walk"}


def test_an_own_document_that_was_judged_relevant_stays(find: FirstStage) -> None:
    evaluation = evaluate(QUERIES, [Qrel("fox", "fox", 1)], find)
    assert evaluation.first_stage["fox"]["mrr@10"] == 1.0


def test_without_a_rescorer_there_is_no_second_stage(find: FirstStage) -> None:
    measured = evaluate(QUERIES, QRELS, find).to_json()
    assert (measured["second_stage"], measured["comparison"], measured["model"]) == (None, None, None)


def test_the_window_bounds_what_is_rescored(find: FirstStage, longest: Rescorer) -> None:
    evaluation = evaluate(QUERIES, QRELS, find, longest, RescoreOptions(window_size=1))
    assert evaluation.window_size == 1
    assert evaluation.second_stage == evaluation.first_stage


def test_the_progress_is_told(find: FirstStage) -> None:
    told: list[int] = []
    evaluate(QUERIES, QRELS, find, progress=told.append)
    assert told == [1, 2, 3]


def test_a_failing_rescorer_is_no_result(find: FirstStage) -> None:
    failing = from_function(lambda _query, _texts: [])
    with pytest.raises(RescorerError, match="must return a finite number"):
        evaluate(QUERIES, QRELS, find, failing, RescoreOptions(window_size=10, on_failure="keep"))


def test_a_run_measures_the_same_as_the_stage_that_wrote_it(find: FirstStage, longest: Rescorer) -> None:
    evaluation = evaluate(QUERIES, QRELS, find, longest)
    assert evaluate_run(QRELS, evaluation.final_run).first_stage == evaluation.second_stage


def test_of_a_run_a_querys_own_document_is_dropped_too() -> None:
    run = {"fox": [ScoredDoc("fox", "fox", 2.0), ScoredDoc("fox", "grey", 1.0)]}
    assert evaluate_run([Qrel("fox", "grey", 1)], run).first_stage["fox"]["mrr@10"] == 1.0


RUN = {"q1": [ScoredDoc("q1", doc_id, -rank) for rank, doc_id in enumerate(["goose", "walk", "fox", "grey"])]}
CORPUS = [Document(doc_id, text) for doc_id, text in TEXTS.items()]


def test_a_run_is_rescored_within_its_window(longest: Rescorer) -> None:
    documents = documents_of(RUN, CORPUS, 3)
    after = rescore_run(RUN, QUERIES, documents, longest, RescoreOptions(window_size=3))
    assert [scored.doc_id for scored in after["q1"]] == ["walk", "goose", "fox", "grey"]


def test_only_the_documents_of_the_window_are_kept() -> None:
    assert set(documents_of(RUN, CORPUS, 2)) == {"goose", "walk"}


def test_a_document_that_the_corpus_lacks_is_named() -> None:
    with pytest.raises(InputError, match="1 of the 4 documents to rescore are not in the corpus, such as fox"):
        documents_of(RUN, CORPUS[:3], 4)


def test_a_query_without_text_is_named(longest: Rescorer) -> None:
    with pytest.raises(InputError, match="1 of 1 queries have no text, such as q1"):
        rescore_run(RUN, {}, {}, longest, RescoreOptions(window_size=0))
