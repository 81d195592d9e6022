from __future__ import annotations

from pathlib import Path

import pytest

from prorank_ingest.readers import files, pdf
from prorank_search.protocols import BadRecord, ReaderOptions
from prorank_search.types import Document
from tests import tiny_pdf


def records_of(path: Path, content: bytes) -> list[Document | BadRecord]:
    path.write_bytes(content)
    reader = pdf.open_reader(str(path), ReaderOptions())
    assert reader is not None
    return list(reader.read())


def test_a_page_is_a_document_and_an_empty_one_a_bad_record(tmp_path: Path) -> None:
    path = tmp_path / "dogs.pdf"
    first, empty, last = records_of(path, tiny_pdf.pdf("Dogs bark.", "", "Cats purr.", title="Animals"))
    assert first == Document("dogs.pdf#page=1", "Dogs bark.", "Animals", {"file": "dogs.pdf", "page": 1})
    assert last == Document("dogs.pdf#page=3", "Cats purr.", "Animals", {"file": "dogs.pdf", "page": 3})
    assert empty == BadRecord(str(path), None, "page 2: no text: empty, or a picture of a page")


def test_a_file_without_a_title_bears_its_name(tmp_path: Path) -> None:
    (record,) = records_of(tmp_path / "dogs.pdf", tiny_pdf.pdf("Dogs bark."))
    assert isinstance(record, Document)
    assert record.title == "dogs.pdf"


@pytest.mark.parametrize("content", [b"", b"no PDF", b"%PDF-1.4\n1 0 obj\n<< /Type", tiny_pdf.pdf("Dogs bark.")[:300]])
def test_a_broken_file_is_one_bad_record(tmp_path: Path, content: bytes) -> None:
    (record,) = records_of(tmp_path / "dogs.pdf", content)
    assert isinstance(record, BadRecord)
    assert record.reason.startswith("cannot be read as PDF")


def test_a_folder_has_pages_and_pdf_files_among_its_texts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    (tmp_path / "b.pdf").write_bytes(b"broken")
    (tmp_path / "c.pdf").write_bytes(tiny_pdf.pdf("one", "two"))
    (tmp_path / "d.html").write_text("<p>page", encoding="utf-8")
    reader = files.open_reader(str(tmp_path), ReaderOptions())
    assert reader is not None
    everything = list(reader.read())
    assert [record.doc_id if isinstance(record, Document) else None for record in everything] == [
        "a.txt",
        None,
        "c.pdf#page=1",
        "c.pdf#page=2",
        "d.html",
    ]
    assert list(reader.read(3)) == everything[3:]
