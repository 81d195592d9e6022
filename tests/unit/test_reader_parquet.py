from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prorank_ingest.readers import parquet
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

NO_OPTIONS = ReaderOptions()


def reader_of(path: Path, options: ReaderOptions = NO_OPTIONS) -> Reader:
    reader = parquet.open_reader(str(path), options)
    assert reader is not None
    return reader


def write(path: Path, columns: dict[str, list[object]], rows_a_group: int = 100) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=rows_a_group)
    return path


def test_rows_become_documents_with_plain_metadata(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "id": [1, 2],
        "title": ["Dog", None],
        "text": ["It barks.", "It purrs."],
        "born": [date(2020, 1, 2), None],
        "tags": [["loud"], []],
        "photo": [b"PNG", None],
    }
    assert list(reader_of(write(tmp_path / "a.parquet", columns)).read()) == [
        Document("1", "It barks.", "Dog", {"born": "2020-01-02", "tags": ["loud"]}),
        Document("2", "It purrs.", "", {"tags": []}),
    ]


def test_a_row_without_an_id_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"id": ["a", "", "c"], "text": ["x", "y", "z"]}, rows_a_group=1)
    first, bad, last = reader_of(path).read()
    assert (first, last) == (Document("a", "x"), Document("c", "z"))
    assert bad == BadRecord(str(path), 2, "no id; looked for _id, id, doc_id", '{"id": "", "text": "y"}')


def test_a_damaged_group_of_rows_is_one_bad_record(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {"id": list("abc"), "text": ["x" * 50, "y" * 50, "z" * 50]}
    path = write(tmp_path / "a.parquet", columns, rows_a_group=1)
    group = pq.ParquetFile(path).metadata.row_group(1).column(1)
    content = bytearray(path.read_bytes())
    start = group.dictionary_page_offset or group.data_page_offset
    content[start : start + group.total_compressed_size] = b"\xff" * group.total_compressed_size
    path.write_bytes(content)
    first, bad, last = reader_of(path).read()
    assert [record.doc_id for record in (first, last) if isinstance(record, Document)] == ["a", "c"]
    assert isinstance(bad, BadRecord)
    assert bad.reason.startswith("rows 2 to 2 cannot be read")


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [({"name": ["a"], "text": ["x"]}, "no column for the id .* it has the columns name, text"), (None, "as Parquet")],
)
def test_a_file_that_cannot_be_used_at_all_is_refused(
    tmp_path: Path, columns: dict[str, list[object]] | None, complaint: str
) -> None:
    path = tmp_path / "a.parquet"
    write(path, columns) if columns else path.write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match=complaint):
        list(reader_of(path).read())
