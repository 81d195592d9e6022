from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from prorank_ingest.readers import table
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

NO_OPTIONS = ReaderOptions()


def reader_of(path: Path, content: bytes, options: ReaderOptions = NO_OPTIONS) -> Reader:
    path.write_bytes(content)
    reader = table.open_reader(str(path), options)
    assert reader is not None
    return reader


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'id,title,text,lang\r\n1,Dog,"It barks, ""woof"".\nLoud.",en\r\n2,,It purrs.,\r\n'),
        ("a.csv", b'\xef\xbb\xbfid;title;text;lang\n1;Dog;"It barks, ""woof"".\nLoud.";en\n2;;It purrs.;\n'),
        ("a.tsv", b'id\ttitle\ttext\tlang\n1\tDog\t"It barks, ""woof"".\nLoud."\ten\n2\t\tIt purrs.\t\n'),
        ("a.csv.gz", gzip.compress(b'id,title,text,lang\n1,Dog,"It barks, ""woof"".\nLoud.",en\n\n2,,It purrs.,\n')),
    ],
)
def test_rows_become_documents_whatever_delimits_them(tmp_path: Path, name: str, content: bytes) -> None:
    assert list(reader_of(tmp_path / name, content).read()) == [
        Document("1", 'It barks, "woof".\nLoud.', "Dog", {"lang": "en"}),
        Document("2", "It purrs."),
    ]


def test_other_columns_can_be_named(tmp_path: Path) -> None:
    options = ReaderOptions(id_column="key", title_column="head", text_column="abstract")
    reader = reader_of(tmp_path / "a.csv", b"key,head,abstract\n1,Dog,It barks.\n", options)
    assert list(reader.read()) == [Document("1", "It barks.", "Dog")]


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (
            b"name,text",
            r"no column for the id \(_id, id, doc_id\): it has the columns name, text; ",
        ),
        (
            b"id,words",
            r"no column for the text .*: it has the columns id, words; say which with --text-column",
        ),
        (b"", "the file is empty"),
    ],
)
def test_a_header_without_a_needed_column_is_refused_with_its_columns(
    tmp_path: Path, header: bytes, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        list(reader_of(tmp_path / "a.csv", header + b"\n1,x\n").read())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,x,y", "columns: 2 in the header, 3 in the row"),
        (b"1", "columns: 2 in the header, 1 in the row"),
        (b",x", "no id"),
        (b"1,", "neither title nor text"),
        (b"1,caf\xe9", "not UTF-8"),
        (b"1," + b"x" * 20_000_000, "not a row: field larger"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_read(tmp_path: Path, row: bytes, reason: str) -> None:
    content = b'id,text\n0,"two\nlines"\n' + row + b"\n2,y\n"
    first, bad, last = reader_of(tmp_path / "a.csv", content).read()
    assert (first, last) == (Document("0", "two\nlines"), Document("2", "y"))
    assert isinstance(bad, BadRecord)
    assert (bad.line, bad.record.rstrip("\n")) == (4, row.decode("utf-8", "backslashreplace"))
    assert reason in bad.reason


def test_a_run_that_goes_on_leaves_out_what_was_read(tmp_path: Path) -> None:
    reader = reader_of(tmp_path / "a.csv", b"id,text\n1,x\nbad\n2,y\n")
    assert [list(reader.read(start)) for start in range(4)] == [list(reader.read())[start:] for start in range(4)]
