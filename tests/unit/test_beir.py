from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from prorank_search import beir
from prorank_search.errors import InputError
from prorank_search.types import Document, Qrel, Query

CORPUS = (
    '{"_id": "d1", "title": "Dog", "text": "It barks.", "metadata": {"legs": 4}, "url": "dog.html"}\n\n'
    '{"_id": 2, "text": "It purrs."}\n'
)
QUERIES = '{"_id": "q1", "text": "what barks"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\t2\t0\n"


@pytest.fixture(params=["plain", "packed"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    for name, text in {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels/test.tsv": QRELS}.items():
        if request.param == "plain":
            (tmp_path / name).write_text(text, encoding="utf-8")
        else:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_a_corpus_is_read_in_file_order_with_other_keys_as_metadata(folder: Path) -> None:
    assert list(beir.read_corpus(folder)) == [
        Document("d1", "It barks.", "Dog", {"legs": 4, "url": "dog.html"}),
        Document("2", "It purrs."),
    ]


def test_queries_come_by_their_id(folder: Path) -> None:
    assert beir.read_queries(folder) == {"q1": Query("q1", "what barks")}


def test_judgments_of_a_split_are_read_without_the_header(folder: Path) -> None:
    assert beir.splits(folder) == ["test"]
    assert beir.read_qrels(folder, "test") == [Qrel("q1", "d1", 1), Qrel("q1", "2", 0)]


def test_a_missing_split_is_refused_with_the_splits_that_are_there(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no split 'dev' in .*: its qrels folder has test"):
        beir.read_qrels(folder, "dev")


def test_a_folder_without_a_corpus_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert not beir.is_beir(tmp_path)
    with pytest.raises(InputError, match=r"no corpus\.jsonl or corpus\.jsonl\.gz in .*, which holds: notes\.txt"):
        list(beir.read_corpus(tmp_path))


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*nowhere"):
        beir.read_queries(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"_id": 1.5, "text": "x"}', "'_id' must be a string"),
        ('{"_id": "a"}', "'text' must be a string"),
        ('{"_id": "a", "text": "x", "title": 7}', "'title' must be a string"),
        ('{"_id": "a", "text": "x", "metadata": []}', None),
        ('{"_id": "a", "text": "x", "metadata": [1]}', "'metadata' must be an object"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path: Path, line: str, reason: str | None) -> None:
    (tmp_path / "corpus.jsonl").write_text(f'{{"_id": "ok", "text": "fine"}}\n{line}\n', encoding="utf-8")
    if reason is None:
        assert len(list(beir.read_corpus(tmp_path))) == 2
        return
    with pytest.raises(InputError, match=rf"corpus\.jsonl:2: .*{reason}"):
        list(beir.read_corpus(tmp_path))


@pytest.mark.parametrize(
    ("line", "reason"), [("q1\td1", "2 columns"), ("q1\td1\thigh", "'high' is not a whole number")]
)
def test_a_bad_judgment_is_refused_with_its_place(folder: Path, line: str, reason: str) -> None:
    (folder / "qrels" / "dev.tsv").write_text(f"query-id\tcorpus-id\tscore\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"dev\.tsv:2: .*{reason}"):
        beir.read_qrels(folder, "dev")


def test_judgments_of_a_folder_that_is_not_there_name_the_folder() -> None:
    with pytest.raises(InputError, match="no folder nowhere"):
        beir.read_qrels(Path("nowhere"), "test")


@pytest.mark.parametrize("content", [b"caf\xe9\td\t1\n", b"q\td\t1\nq\t\xff\t1\n"])
def test_judgments_that_are_no_text_are_refused(folder: Path, content: bytes) -> None:
    (folder / "qrels" / "dev.tsv").write_bytes(content)
    with pytest.raises(InputError, match=r"dev\.tsv cannot be read to its end"):
        beir.read_qrels(folder, "dev")


def test_a_packed_corpus_with_a_damaged_middle_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress("".join(f'{{"_id": "{number}"}}\n' for number in range(9999)).encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = b"\xff" * 64
    (tmp_path / "corpus.jsonl.gz").write_bytes(packed)
    with pytest.raises(InputError):
        list(beir.read_corpus(tmp_path))


def test_a_packed_corpus_that_breaks_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(CORPUS.encode() * 100)[:60])
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(beir.read_corpus(tmp_path))
