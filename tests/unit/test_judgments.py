from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prorank_search.errors import ConfigError, InputError
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.judgments.pooling import Pooled
from prorank_search.types import Document, Qrel, Query

FOX, OWL = Query("q1", "quick fox"), Query("q2", "wise owl")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JudgmentStore]:
    store = JudgmentStore(tmp_path / FILE_NAME)
    store.add_queries("animals", "zoo", [FOX, OWL])
    yield store
    store.close()


def _said(doc_id: str, judge: str, relevance: int | None, query_id: str = "q1") -> Judgment:
    return Judgment("animals", query_id, doc_id, judge, relevance)


def test_the_last_word_of_each_judge_counts(store: JudgmentStore) -> None:
    store.judge(_said("d1", "ada", 1), _said("d1", "bo", 0), _said("d1", "ada", 3))
    assert [(one.judge, one.relevance) for one in store.judgments("animals")] == [("bo", 0), ("ada", 3)]


def test_qrels_are_the_median_of_persons_without_skips_and_proposals(store: JudgmentStore) -> None:
    store.judge(_said("d1", "ada", 3), _said("d1", "bo", 1), _said("d1", "cy", None), _said("d2", "ada", None))
    store.judge(Judgment("animals", "q1", "d1", "prorank", 0, origin="model"))
    assert store.qrels("animals") == [Qrel("q1", "d1", 1)]
    assert store.qrels("animals", origin="model") == [Qrel("q1", "d1", 0)]


def test_a_person_and_a_model_of_one_name_are_two_judges(store: JudgmentStore) -> None:
    store.judge(Judgment("animals", "q1", "d1", "prorank", 0, origin="model"))
    store.judge(Judgment("animals", "q1", "d1", "prorank", 3))
    assert store.qrels("animals", origin="model") == [Qrel("q1", "d1", 0)]
    assert store.undo("animals", "prorank") is not None
    assert store.undo("animals", "prorank") is None
    assert store.qrels("animals", origin="model") == [Qrel("q1", "d1", 0)]


def test_undo_brings_back_what_was_said_before_and_then_nothing(store: JudgmentStore) -> None:
    store.judge(_said("d1", "ada", 1))
    store.judge(_said("d1", "ada", 3))
    store.judge(_said("d9", "bo", 2))
    assert (first := store.undo("animals", "ada")) is not None
    assert first.relevance == 3
    assert Qrel("q1", "d1", 1) in store.qrels("animals")
    assert store.undo("animals", "ada") is not None
    assert store.undo("animals", "ada") is None
    assert store.qrels("animals") == [Qrel("q1", "d9", 2)]


def test_a_judgment_outlives_the_process(store: JudgmentStore, tmp_path: Path) -> None:
    store.judge(_said("d1", "ada", 2))
    again = JudgmentStore(tmp_path / FILE_NAME)
    assert again.qrels("animals") == [Qrel("q1", "d1", 2)]
    assert again.queries("animals") == {"q1": FOX, "q2": OWL}
    again.close()


def test_all_of_several_judgments_are_written_or_none(store: JudgmentStore) -> None:
    with pytest.raises(InputError, match="'unknown' is not in the query set 'animals'"):
        store.judge(_said("d1", "ada", 2), _said("d1", "ada", 2, query_id="unknown"))
    with pytest.raises(InputError, match="relevance -1"):
        store.judge(_said("d1", "ada", 2), _said("d2", "ada", -1))
    assert store.judgments("animals") == []


def test_many_threads_lose_nothing(store: JudgmentStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda at: store.judge(_said(f"d{at}", f"judge{at % 4}", at % 4)), range(80)))
    assert len(store.judgments("animals")) == 80


def test_a_query_set_keeps_its_index_and_its_texts(store: JudgmentStore) -> None:
    assert store.add_queries("animals", "zoo", [FOX, Query("q3", "new")]) == 1
    assert [(found.name, found.index, found.queries) for found in store.query_sets()] == [("animals", "zoo", 3)]
    with pytest.raises(InputError, match="belongs to the index 'zoo'"):
        store.add_queries("animals", "farm", [])
    with pytest.raises(InputError, match="'quick fox', not 'slow fox'"):
        store.add_queries("animals", "zoo", [Query("q1", "slow fox")])
    with pytest.raises(InputError, match="no query set 'plants'"):
        store.queries("plants")


def test_a_comparison_has_one_short_id_and_comes_back(store: JudgmentStore) -> None:
    state = {"query": "quick fox", "index": "zoo", "window_size": 30}
    name = store.save_comparison(state)
    assert store.save_comparison(dict(reversed(state.items()))) == name
    assert store.comparison(name) == state
    with pytest.raises(InputError, match="no saved comparison 'none'"):
        store.comparison("none")


def test_a_backup_is_a_whole_store_and_replaces_no_file(store: JudgmentStore, tmp_path: Path) -> None:
    store.judge(_said("d1", "ada", 2))
    store.backup(tmp_path / "copies" / "monday.sqlite")
    copy = JudgmentStore(tmp_path / "copies" / "monday.sqlite")
    assert copy.qrels("animals") == [Qrel("q1", "d1", 2)]
    copy.close()
    with pytest.raises(ConfigError, match="exists already"):
        store.backup(tmp_path / "copies" / "monday.sqlite")


def test_a_file_of_a_newer_version_or_of_something_else_is_left_alone(tmp_path: Path) -> None:
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="newer version"):
        JudgmentStore(newer)
    (tmp_path / "other.sqlite").write_text("not a database, " * 100)
    with pytest.raises(ConfigError, match="cannot be used"):
        JudgmentStore(tmp_path / "other.sqlite")


def test_queries_and_their_judgments_come_in_together_or_not_at_all(store: JudgmentStore) -> None:
    with pytest.raises(InputError, match="'unknown' is not in the query set"):
        store.take_in("plants", "garden", [Query("q7", "fern")], [Judgment("plants", "unknown", "d1", "ada", 1)])
    assert [found.name for found in store.query_sets()] == ["animals"]
    assert store.take_in("plants", "garden", [Query("q7", "fern")], [Judgment("plants", "q7", "d1", "ada", 1)]) == 1
    assert store.qrels("plants") == [Qrel("q7", "d1", 1)]


def test_a_pool_holds_each_document_once_with_its_ranks_in_every_system(store: JudgmentStore) -> None:
    old = Pooled(Document("d1", "old", metadata={"year": 1990}), {"BM25": 1})
    assert store.pool("animals", "q1", [old, Pooled(Document("d2", "two"), {"BM25": 2}, ("two",))]) == 2
    new = Pooled(Document("d1", "new", title="New"), {"model": 4}, ("new",))
    assert store.pool("animals", "q1", [new]) == 0
    assert store.pools("animals") == {"q1": ["d1", "d2"]}
    assert store.pooled("animals", "q1") == {
        "d1": Pooled(Document("d1", "new", title="New"), {"BM25": 1, "model": 4}, ("new",)),
        "d2": Pooled(Document("d2", "two"), {"BM25": 2}, ("two",)),
    }
    assert store.pooled("animals", "q2") == {}
    with pytest.raises(InputError, match="'q9' is not in the query set 'animals'"):
        store.pool("animals", "q9", [new])


def test_a_file_of_an_older_version_is_brought_up_to_date_and_keeps_what_it_holds(tmp_path: Path) -> None:
    store = JudgmentStore(tmp_path / "old.sqlite")
    store.add_queries("animals", "zoo", [FOX])
    store.judge(_said("d1", "ada", 2))
    store.close()
    with sqlite3.connect(tmp_path / "old.sqlite") as connection:
        connection.execute("DROP TABLE pools")
        connection.execute("PRAGMA user_version = 1")
    again = JudgmentStore(tmp_path / "old.sqlite")
    assert again.pool("animals", "q1", [Pooled(Document("d1", "text"), {"BM25": 1})]) == 1
    assert again.qrels("animals") == [Qrel("q1", "d1", 2)]
    again.close()
