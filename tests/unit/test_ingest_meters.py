from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import zstandard
from pyarrow import Table
from pyarrow.parquet import write_table

from prorank_ingest.selection import open_source
from prorank_search.protocols import MeasuredReader, ReaderOptions

RECORDS = [
    {"id": str(number), "text": hashlib.sha512(str(number).encode()).hexdigest() * 2} for number in range(20_000)
]
LINES = "\n".join(map(json.dumps, RECORDS)).encode()
TABLE = "\n".join(["id,text", *(",".join(record.values()) for record in RECORDS)]).encode()
PACKED: Mapping[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}


def write(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if name.endswith(".parquet"):
        write_table(Table.from_pylist(RECORDS), path)
        return path
    content = TABLE if ".csv" in name else LINES
    path.write_bytes(PACKED[path.suffix](content) if path.suffix in PACKED else content)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.csv", "a.csv.gz", "a.parquet"])
def test_a_reader_tells_how_much_of_its_file_it_has_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name)
    reader = open_source(str(path), ReaderOptions())
    assert isinstance(reader, MeasuredReader)
    size = len(RECORDS) if name.endswith("parquet") else path.stat().st_size
    seen = []
    for number, _ in enumerate(reader.read(), start=1):
        if number % 5_000 == 0:
            seen.append(reader.extent().done)
            assert reader.extent().total == size
    assert seen == sorted(seen)
    assert 0 < seen[0] < size
    assert reader.extent().done == size


def test_a_reader_of_a_beir_folder_measures_its_corpus(tmp_path: Path) -> None:
    path = write(tmp_path, "folder/corpus.jsonl")
    reader = open_source(str(path.parent), ReaderOptions())
    assert isinstance(reader, MeasuredReader)
    list(reader.read())
    assert reader.extent() == (len(LINES), len(LINES), "bytes")
