from __future__ import annotations

import gzip
import io
import sys
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from prorank_ingest import source_files
from prorank_ingest.readers import beir, jsonl
from prorank_ingest.source_files import lines_of
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

NO_OPTIONS = ReaderOptions()


def reader_of(path: Path, content: bytes, options: ReaderOptions = NO_OPTIONS) -> Reader:
    path.write_bytes(content)
    reader = jsonl.open_reader(str(path), options)
    assert reader is not None
    return reader


def test_the_usual_names_of_id_title_and_text_are_known(tmp_path: Path) -> None:
    lines = (
        b'{"_id": "a", "title": "A", "text": "x"}\n{"id": 7, "contents": "y"}\n{"doc_id": "c", "body": "z", "n": 1}\n'
    )
    assert list(reader_of(tmp_path / "a.jsonl", lines).read()) == [
        Document("a", "x", "A"),
        Document("7", "y"),
        Document("c", "z", metadata={"n": 1}),
    ]


def test_other_keys_can_be_named(tmp_path: Path) -> None:
    options = ReaderOptions(id_column="key", title_column="head", text_column="abstract")
    line = b'{"key": "a", "head": "A", "abstract": "x", "text": "other"}\n'
    assert list(reader_of(tmp_path / "a.jsonl", line, options).read()) == [Document("a", "x", "A", {"text": "other"})]


def test_a_document_needs_only_a_title(tmp_path: Path) -> None:
    assert list(reader_of(tmp_path / "a.jsonl", b'{"id": "a", "title": "A"}').read()) == [Document("a", "", "A")]


def test_packed_files_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    packed = gzip.compress(b'\xef\xbb\xbf{"id": "a", "text": "x"}\n')
    assert list(reader_of(tmp_path / "a.jsonl.gz", packed).read()) == [Document("a", "x")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "a", "text": ', "not JSON"),
        (b'{"id": "a", "text": "x", "rank": NaN}', "not JSON: NaN"),
        (b'["a", "x"]', "not a JSON object"),
        (b'{"text": "x"}', "no id; looked for _id, id, doc_id"),
        (b'{"id": "  ", "text": "x"}', "not blank"),
        (b'{"id": "' + b"a" * 513 + b'", "text": "x"}', "has 513 bytes"),
        (b'{"id": 1.5, "text": "x"}', "the id 'id' is a fraction"),
        (b'{"id": true, "text": "x"}', "the id 'id' is true or false"),
        (b'{"id": "a", "text": ["x"]}', "'text' is an array, not a string"),
        (b'{"id": "a", "title": {}, "text": "x"}', "'title' is an object, not a string"),
        (b'{"id": "a", "title": " ", "text": ""}', "neither title nor text"),
        (b'{"id": "a", "text": "x", "metadata": "m"}', "'metadata' is str, not an object"),
        (b'{"id": "a", "text": "caf\xe9"}', "not UTF-8"),
        (b'{"id": "a", "text": "half \\ud800"}', "not UTF-8"),
        (b'{"id": "a", "text": "x", "note": "half \\ud800"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": "a", "text": "x", "big": 1e999}', "not JSON: the number 1e999 is too large"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    first, bad, last = reader_of(path, b'{"id": "1", "text": "x"}\n\n' + line + b'\n{"id": "2", "text": "y"}\n').read()
    assert (first, last) == (Document("1", "x"), Document("2", "y"))
    assert isinstance(bad, BadRecord)
    assert (bad.source, bad.line, bad.record) == (str(path), 3, line.decode("utf-8", "backslashreplace"))
    assert reason in bad.reason


def test_a_run_that_goes_on_leaves_out_what_was_read_bad_records_among_it(tmp_path: Path) -> None:
    reader = reader_of(tmp_path / "a.jsonl", b'{"id": "1", "text": "x"}\n\nnonsense\n{"id": "2", "text": "y"}\n')
    assert [list(reader.read(start)) for start in range(4)] == [list(reader.read())[start:] for start in range(4)]


def test_a_packed_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    reader = reader_of(tmp_path / "a.jsonl.gz", gzip.compress(b'{"id": "a", "text": "x"}\n' * 100)[:-10])
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(reader.read())


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    reader = reader_of(tmp_path / "a.jsonl", b'{"id": "a", "text": "x"}\n')
    before = reader.fingerprint()
    assert before == reader.fingerprint()
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "a", "text": "longer"}\n')
    assert before != reader.fingerprint()


def test_standard_input_is_read_and_never_taken_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"id": "a", "text": "x"}\nnonsense\n')))
    reader = jsonl.open_reader("-", NO_OPTIONS)
    assert reader is not None
    document, bad = reader.read()
    assert document == Document("a", "x")
    assert isinstance(bad, BadRecord)
    assert (bad.source, bad.line) == ("standard input", 2)
    assert reader.fingerprint() != reader.fingerprint()


def test_a_beir_folder_is_read_past_its_bad_lines(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(b'nonsense\n{"_id": "a", "title": "", "text": "x"}\n'))
    reader = beir.open_reader(str(tmp_path), NO_OPTIONS)
    assert reader is not None
    bad, document = reader.read()
    assert isinstance(bad, BadRecord)
    assert document == Document("a", "x")


def test_other_sources_are_left_to_other_readers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert jsonl.open_reader(str(tmp_path / "a.csv"), NO_OPTIONS) is None
    assert jsonl.open_reader(str(tmp_path / "absent.jsonl"), NO_OPTIONS) is None
    assert beir.open_reader(str(tmp_path), NO_OPTIONS) is None


def test_a_file_packed_with_zstandard_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    lines = [b'{"id": "1", "text": "x"}\n', b'{"id": "2", "text": "y"}\n']
    path.write_bytes(b"".join(map(zstandard.compress, lines)))
    reader = jsonl.open_reader(str(path), ReaderOptions())
    assert reader is not None
    assert list(reader.read()) == [Document("1", "x"), Document("2", "y")]


@pytest.mark.parametrize("content", [zstandard.compress(b'{"id": "1", "text": "x"}\n' * 9)[:-3], b'{"id": "1"}\n'])
def test_a_zstandard_file_that_was_cut_off_or_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(content)
    reader = jsonl.open_reader(str(path), ReaderOptions())
    assert reader is not None
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(reader.read())


def test_a_small_zstandard_file_that_holds_much_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstandard.compress(b" \n" * (50 << 20)))
    tracemalloc.start()
    assert next(lines_of(path)) == b" \n"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 70 << 20  # all of it are 100 MB


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setattr(source_files, "LONGEST_LINE", 1_000)
    content = b"x" * 999 + b"\n" + b"x" * 1_001
    packed = {"": content, ".gz": gzip.compress(content), ".zst": zstandard.compress(content)}
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(packed[ending])
    lines = lines_of(path)
    assert len(next(lines)) == 1_000
    with pytest.raises(InputError, match="line 2 is longer than 1,000 bytes"):
        next(lines)
