from __future__ import annotations

import time
from pathlib import Path

import pytest

from prorank_ingest.readers import files
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

NO_OPTIONS = ReaderOptions()


def reader_of(source: Path) -> Reader:
    reader = files.open_reader(str(source), NO_OPTIONS)
    assert reader is not None
    return reader


def test_texts_markdown_and_code_are_documents_in_the_order_of_their_paths(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "start.md").write_text("intro\n\n# Getting started #\n\nText.\n", encoding="utf-8")
    (tmp_path / "b.py").write_text("# not a title\nx = 1\n", encoding="utf-8")
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfhello")
    (tmp_path / "Makefile").write_text("all:\n", encoding="utf-8")
    assert list(reader_of(tmp_path).read()) == [
        Document("Makefile", "all:\n", "Makefile", {"file": "Makefile"}),
        Document("a.txt", "hello", "a.txt", {"file": "a.txt"}),
        Document("b.py", "# not a title\nx = 1\n", "b.py", {"file": "b.py"}),
        Document(
            "guide/start.md", "intro\n\n# Getting started #\n\nText.\n", "Getting started", {"file": "guide/start.md"}
        ),
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# a  b ##  \n", "a  b"),
        ("#\tC#\r\nx", "C"),
        ("## second\n# #1 first", "#1 first"),
        ("# ##\n#\nno heading", "a.md"),
        ("#none", "a.md"),
    ],
)
def test_the_title_of_markdown_is_its_first_heading(tmp_path: Path, text: str, title: str) -> None:
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    (record,) = reader_of(tmp_path / "a.md").read()
    assert isinstance(record, Document)
    assert record.title == title


def test_a_heading_with_much_white_space_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# a" + " " * 100_000 + "b", encoding="utf-8")
    begun = time.perf_counter()
    (record,) = reader_of(tmp_path / "a.md").read()
    assert isinstance(record, Document)
    assert record.title.endswith("b")
    assert time.perf_counter() - begun < 5


def test_hidden_empty_foreign_and_installed_files_are_left_out(tmp_path: Path) -> None:
    for name in (".git/config.txt", "node_modules/a.js", "__pycache__/a.py", ".hidden.txt", "photo.jpg", "ok.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x", encoding="utf-8")
    (tmp_path / "empty.py").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nowhere")
    assert [record.doc_id for record in reader_of(tmp_path).read() if isinstance(record, Document)] == ["ok.txt"]


def test_a_file_that_is_not_utf8_or_blank_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("café".encode("latin-1"))
    (tmp_path / "b.txt").write_text(" \n", encoding="utf-8")
    (tmp_path / "c.txt").write_text("fine", encoding="utf-8")
    latin, blank, fine = reader_of(tmp_path).read()
    assert isinstance(latin, BadRecord)
    assert isinstance(blank, BadRecord)
    assert (latin.source, latin.line) == (str(tmp_path / "a.txt"), None)
    assert "not UTF-8" in latin.reason
    assert blank.reason == "nothing but white space"
    assert isinstance(fine, Document)


def test_one_file_is_a_source_too(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Dog\n", encoding="utf-8")
    assert list(reader_of(tmp_path / "a.md").read()) == [Document("a.md", "# Dog\n", "Dog", {"file": "a.md"})]


def test_a_file_more_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    before = reader_of(tmp_path).fingerprint()
    (tmp_path / "b.txt").write_text("y", encoding="utf-8")
    assert reader_of(tmp_path).fingerprint() != before


def test_beir_folders_and_other_files_are_left_to_other_readers(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").touch()
    assert files.open_reader(str(tmp_path), NO_OPTIONS) is None
    assert files.open_reader(str(tmp_path / "corpus.jsonl"), NO_OPTIONS) is None
    assert files.open_reader(str(tmp_path / "absent.txt"), NO_OPTIONS) is None
