from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from prorank_search.errors import InputError
from prorank_search.judgments import JudgmentStore, query_id_of
from prorank_search.judgments.exchange import FORMS, SUFFIXES, Form, Judged, form_of, read_judgments, take_in, written
from prorank_search.types import Qrel, Query

QUERIES = {"q1": Query("q1", 'fox, "quick"'), "q2": Query("q2", "weiße Eule")}
QRELS = [Qrel("q1", "d1", 3), Qrel("q1", "d2", 0), Qrel("q2", "d1", 1)]
WORKBENCH = {
    "name": "n",
    "type": "IMPORT_JUDGMENT",
    "judgmentRatings": [{"query": "red dress", "ratings": [{"docId": "B1", "rating": "3.000"}]}],
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_in_a_form_is_read_back_and_recognised(form: Form, tmp_path: Path) -> None:
    path = tmp_path / f"judgments{SUFFIXES[form]}"
    path.write_text(written(form, QUERIES, QRELS, "animals"), encoding="utf-8")
    judged = read_judgments(path, QUERIES)
    assert list(judged.qrels) == QRELS
    assert list(judged.queries) == list(QUERIES.values())
    assert form_of(path) in {form, "trec"}


def test_the_workbenchs_body_has_the_names_and_texts_of_its_api() -> None:
    body = json.loads(written("workbench", QUERIES, QRELS, "animals"))
    assert body["type"] == "IMPORT_JUDGMENT"
    assert body["name"] == "animals"
    assert body["judgmentRatings"][1] == {"query": "weiße Eule", "ratings": [{"docId": "d1", "rating": "1.000"}]}


def test_texts_that_are_not_known_become_queries(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("\ufeffquery,docid,rating\nred dress,1,2\nweiße Eule,1,0\nred dress,7,\n", encoding="utf-8")
    judged = read_judgments(path, QUERIES)
    new = Query(query_id_of("red dress"), "red dress")
    assert list(judged.queries) == [new, QUERIES["q2"]]
    assert list(judged.qrels) == [Qrel(new.query_id, "1", 2), Qrel("q2", "1", 0)]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", "query,docid,rating\nred,1,2\nred,2\n", "a.csv:3: 2 columns; wanted are query, docid, rating"),
        ("a.csv", "query,docid,rating\nred,1,good\n", "a.csv:2: the rating 'good' is not a number"),
        ("a.csv", "query,docid,rating\nred,1,0.5\n", "a.csv:2: the rating '0.5' is between two grades"),
        ("a.csv", "query,docid,rating\nred,1,inf\n", "a.csv:2: the rating 'inf' is not a number"),
        ("a.csv", "query,docid,rating\nred,1,-1\n", "a.csv:2: the relevance -1 is no grade: write 0"),
        ("a.csv", "query,docid,rating\n,1,1\n", "a.csv:2: the query is empty"),
        ("a.csv", "query,docid,rating\nred,,1\n", "a.csv:2: the document's id is empty"),
        ("a.csv", "query,docid,rating\n", "a.csv holds no judgment"),
        ("a.csv", "query,docid,rating\nred,1,1\nred,1,2\n", "a.csv:3: '1' has relevance 2 .* and 1 at .*a.csv:2"),
        ("a.qrels", "q1 0 d1 1\nq9 0 d1 1\n", "a.qrels:2: the query 'q9' is not known here"),
        ("a.qrels", "q1 0 d1 high\n", "a.qrels:1: the relevance 'high' is not a whole number"),
        ("a.json", "[]", "a.json: not a JSON object"),
        ("a.csv", "query,docid,rating\nred,1,1e300\n", "a.csv:2: the relevance 10000000000000000525 is no grade"),
        ("a.json", "{", "a.json: not JSON"),
        ("a.json", '{"judgmentRatings": ' + "[" * 100_000, "a.json: not JSON"),
        ("a.json", '{"name": "n"}', "judgmentRatings must be a list of objects"),
        (
            "a.json",
            json.dumps(WORKBENCH).replace("3.000", "best"),
            r"judgmentRatings\[0\].ratings\[0\]: the rating 'best'",
        ),
        ("a.json", json.dumps(WORKBENCH).replace("docId", "id"), r"judgmentRatings\[0\].ratings\[0\]: 'docId' must be"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place_and_value(
    name: str, content: str, complaint: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read_judgments(tmp_path / name, QUERIES)


@pytest.mark.parametrize(("form", "doc_id"), [("trec", "a b"), ("beir", "a\tb"), ("beir", "a\n"), ("beir", " ")])
def test_an_id_is_not_written_with_what_parts_the_columns(form: Form, doc_id: str) -> None:
    with pytest.raises(InputError, match=r"the id .* has white space in it.*take csv"):
        written(form, QUERIES, [Qrel("q1", doc_id, 1)], "animals")


def test_an_id_with_spaces_comes_back_from_a_beir_file(tmp_path: Path) -> None:
    qrels = [Qrel("q1", "my notes.md", 2)]
    (tmp_path / "a.tsv").write_text(written("beir", QUERIES, qrels, "animals"), encoding="utf-8")
    assert read_judgments(tmp_path / "a.tsv", QUERIES).qrels == qrels


def test_what_was_imported_as_a_proposal_by_mistake_can_be_imported_as_a_persons(tmp_path: Path) -> None:
    store, judged = JudgmentStore(tmp_path / "store.sqlite"), Judged([QUERIES["q1"]], [Qrel("q1", "fox", 2)])
    put_in = partial(take_in, store, judged, query_set="animals", index="zoo", judge="imported")
    assert put_in(origin="model") == (1, 1)
    assert put_in() == (0, 1)
    assert put_in() == (0, 0)
    assert store.qrels("animals") == [Qrel("q1", "fox", 2)]
    store.close()
