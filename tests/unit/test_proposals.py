"""A model grades pooled hits: by its probabilities, apart from persons' judgments, and only what is new."""

from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.errors import InputError
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.judgments.pooling import Pooled
from prorank_search.judgments.proposals import propose
from prorank_search.profiles import Profile
from prorank_search.rescorers import from_function
from prorank_search.types import Calibration, Document, Qrel, Query, RescorerInfo, Scored, ScoreRequest

SCORES = {"surely": 9.0, "rather": 0.5, "hardly": -0.5, "not": -9.0}
PROPOSED = {"surely": 3, "rather": 2, "hardly": 1, "not": 0}


class Model:
    """Scores a text by its first word; the calibration leaves log-odds as they are."""

    revision = "1"
    info = RescorerInfo("model-1", calibration=Calibration(1.0, 0.0))

    def __init__(self) -> None:
        self.asked: list[ScoreRequest] = []

    def score(self, request: ScoreRequest) -> list[Scored]:
        self.asked.append(request)
        return [Scored(SCORES[text.split()[0]]) for text in request.texts]


@pytest.fixture
def store(tmp_path: Path) -> JudgmentStore:
    store = JudgmentStore(tmp_path / FILE_NAME)
    store.add_queries("set", "index", [Query("1", "fox"), Query("2", "owl"), Query("3", "without a pool")])
    for query_id in ("1", "2"):
        store.pool("set", query_id, [Pooled(Document(name, f"{name} a fox"), {"BM25": 1}) for name in SCORES])
    store.judge(Judgment("set", "1", "not", "ada", 3))
    return store


def test_every_pooled_hit_gets_a_grade_that_no_person_gave(store: JudgmentStore) -> None:
    told: list[tuple[str, int, int]] = []
    profile = Profile(template="{text}!", instruction="foxes alone")
    assert propose(store, "set", model := Model(), profile, lambda *far: told.append(far)) == (8, 8)
    assert {(row.query_id, row.doc_id): row.relevance for row in store.qrels("set", "model")} == {
        (query_id, name): grade for query_id in ("1", "2") for name, grade in PROPOSED.items()
    }
    assert store.qrels("set") == [Qrel("1", "not", 3)]
    assert told == [("model-1", 4, 8), ("model-1", 8, 8)]
    assert [(asked.query, asked.instruction) for asked in model.asked] == [
        ("fox", "foxes alone"),
        ("owl", "foxes alone"),
    ]
    assert "surely a fox!" in model.asked[0].texts


def test_what_was_proposed_before_is_not_written_again_and_another_grade_takes_its_place(store: JudgmentStore) -> None:
    store.judge(Judgment("set", "1", "surely", "model-1", 0, origin="model"))
    store.judge(Judgment("set", "1", "rather", "model-1", 2, origin="model"))
    assert propose(store, "set", Model(), Profile(), lambda *_: None) == (8, 7)
    assert propose(store, "set", Model(), Profile(), lambda *_: None) == (8, 0)
    assert Qrel("1", "surely", 3) in store.qrels("set", "model")


def test_scores_without_a_calibration_and_sets_without_hits_are_refused(store: JudgmentStore) -> None:
    bare = from_function(lambda _, texts: [1.0 for _ in texts], name="bare", revision="1")
    with pytest.raises(InputError, match="scores of 'bare' are no calibrated probabilities"):
        propose(store, "set", bare, Profile(), lambda *_: None)
    store.add_queries("new", "index", [Query("1", "fox")])
    with pytest.raises(InputError, match="no query of 'new' has hits to be judged yet"):
        propose(store, "new", Model(), Profile(), lambda *_: None)
