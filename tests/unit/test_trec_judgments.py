"""Judgments and queries as files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.errors import InputError
from prorank_search.qrels_files import read_qrels
from prorank_search.query_files import read_queries
from prorank_search.types import Qrel, Query


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qrels.txt", "q1 0 d1 2\nq2 0 d2 0\n"),
        ("qrels", "q1\t0\td1\t2\n\nq2\t0\td2\t0\n"),
        ("test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t0\n"),
        ("test.tsv", "q1\td1\t2\r\nq2\td2\t0\r\n"),
        ("qrels.csv", "query_id,doc_id,relevance\nq1,d1,2\nq2,d2,0\n"),
        ("qrels.csv", 'q1,0,"d1",2\nq2,0,d2,0\n'),
    ],
)
def test_judgments_are_read_in_every_form(tmp_path: Path, name: str, text: str) -> None:
    assert read_qrels(written(tmp_path, name, text)) == [Qrel("q1", "d1", 2), Qrel("q2", "d2", 0)]


def test_a_query_called_id_is_no_header(tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, "qrels", "id 0 d1 1\n")) == [Qrel("id", "d1", 1)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("qrels", "q1 0 d1 2\nq1 d2\n", "qrels:2: 2 columns"),
        ("qrels", "q1 0 d1 high\n", "qrels:1: the relevance 'high' is not a whole number"),
        ("qrels.csv", 'q1,d1,1\n"q2,d1,1\n', "qrels.csv cannot be read"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\n", "qrels.tsv holds no judgment"),
    ],
)
def test_bad_judgments_are_refused_with_file_and_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_qrels(written(tmp_path, name, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("queries.tsv", "1\tred, fox\n2\tgoose\n"),
        ("queries.txt", "query_id\ttext\n1\tred, fox\n2\tgoose\n"),
        ("queries.csv", 'id,query\n1,"red, fox"\n2,goose\n'),
        ("queries.jsonl", '{"_id": "1", "text": "red, fox"}\n{"query_id": 2, "query": "goose"}\n'),
    ],
)
def test_queries_are_read_in_every_form(tmp_path: Path, name: str, text: str) -> None:
    assert read_queries(written(tmp_path, name, text)) == {"1": Query("1", "red, fox"), "2": Query("2", "goose")}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("queries.tsv", "1\tfox\ngoose\n", "queries.tsv:2: 1 columns"),
        ("queries.tsv", "1\tfox\n1\tgoose\n", "queries.tsv:2: the query id '1' stands twice"),
        ("queries.jsonl", '{"_id": "1", "text": "fox"}\n{"_id": "2",\n', "queries.jsonl:2: not JSON"),
        ("queries.jsonl", "[1]\n", "queries.jsonl:1: not a JSON object, but list"),
        (
            "queries.jsonl",
            '{"_id": "1"}\n',
            "queries.jsonl:1: 'text' must be a string, got None; the line has",
        ),
        ("queries.jsonl", '{"_id": true, "text": "fox"}\n', "queries.jsonl:1: '_id' must be a string, got True"),
        ("queries.tsv", "", "queries.tsv holds no query"),
    ],
)
def test_bad_queries_are_refused_with_file_and_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_queries(written(tmp_path, name, text))
