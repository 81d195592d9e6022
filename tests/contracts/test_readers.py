from __future__ import annotations

import io
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow.parquet
import pytest

from prorank_ingest.readers import embedded, html, jsonl
from prorank_search import plugins
from prorank_search.backends.tantivy import open_backend
from prorank_search.protocols import OpenReader, ReaderOptions
from prorank_search.settings import Settings
from prorank_search.testing import DOCUMENTS, ReaderContract
from prorank_search.types import Document
from tests.tiny_pdf import pdf

LINES = '{"_id": "a", "text": "x", "n": 1}\nnonsense\n{"_id": "b", "title": "B"}\n'
TABLE = "id,text\na,x\nb\nc,y\n"
MODULE = (
    '"""Animals."""\n\n\ndef bark() -> str:\n    """Bark."""\n    return "woof"\n\n\nclass Dog:\n    """A dog."""\n'
)


def rows() -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a", "", "c"], "text": ["x", "y", "z"]}), target)
    return target.getvalue()


def database(last: str = "z") -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE animals (id, text)")
        connection.executemany("INSERT INTO animals VALUES (?, ?)", [("a", "x"), ("", "y"), ("c", last)])
        return connection.serialize()


FILES = {
    "beir": {"corpus/corpus.jsonl": LINES.encode()},
    "files": {"folder/a.md": b"# A\n\nx", "folder/b.txt": b"\xff", "folder/c.py": b"y = 1"},
    "jsonl": {"lines.jsonl": LINES.encode()},
    "package": {"kennel_of_a_test.py": MODULE.encode()},
    "parquet": {"rows.parquet": rows()},
    "pdf": {"pages.pdf": pdf("Dogs bark.", "", "Cats purr.")},
    "sql": {"animals.db": database()},
    "table": {"table.csv": TABLE.encode()},
    "topics": {},
}
CHANGED = {"sql": database("changed")}
SOURCES = {
    "beir": "corpus",
    "files": "folder",
    "jsonl": "lines.jsonl",
    "package": "kennel_of_a_test",
    "parquet": "rows.parquet",
    "pdf": "pages.pdf",
    "sql": "sqlite:///animals.db",
    "table": "table.csv",
    "topics": "python-topics",
}


ELSEWHERE = {"html", "embedded", "engine"}
"""Readers whose contract stands further below, or with the engines' tests."""


class TestEveryInstalledReader(ReaderContract):
    @pytest.fixture(params=sorted(set(plugins.installed("readers")) - ELSEWHERE))
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def open_reader(self, name: str) -> OpenReader:
        factory: OpenReader = plugins.load("readers", name)
        return factory

    @pytest.fixture
    def source(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        for path, content in FILES[name].items():
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_bytes(content)
        return SOURCES[name]

    @pytest.fixture
    def options(self, name: str) -> ReaderOptions:
        return ReaderOptions(select="SELECT * FROM animals ORDER BY rowid" if name == "sql" else None)

    @pytest.fixture
    def change_source(self, name: str) -> Callable[[], object]:
        if not FILES[name]:
            pytest.skip("this source does not change")
        path = next(iter(FILES[name]))
        return lambda: Path(path).write_bytes(CHANGED.get(name, FILES[name][path] + b"\n"))


class TestAnHtmlPage(ReaderContract):
    fewest = 1

    @pytest.fixture
    def open_reader(self) -> OpenReader:
        return html.open_reader

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        page = tmp_path / "page.html"
        page.write_text("<title>Dogs</title><p>They bark.</p>", encoding="utf-8")
        return str(page)

    @pytest.fixture
    def change_source(self, source: str) -> Callable[[], object]:
        return lambda: Path(source).write_text("<p>Cats purr.</p>", encoding="utf-8")


class TestAnEmbeddedIndex(ReaderContract):
    @pytest.fixture
    def open_reader(self) -> OpenReader:
        return embedded.open_reader

    @pytest.fixture
    def options(self, tmp_path: Path) -> ReaderOptions:
        return ReaderOptions(settings=Settings(home=tmp_path))

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        fill(tmp_path, *DOCUMENTS)
        return "tantivy:animals"

    @pytest.fixture
    def change_source(self, tmp_path: Path) -> Callable[[], object]:
        return lambda: fill(tmp_path, Document("fox", "Another one."))


def fill(home: Path, *documents: Document) -> None:
    with open_backend(Settings(home=home)).writer("animals", analysis="english", replace=False) as writer:
        writer.add(documents)
        writer.publish()


class InputThatCanBeOpenedAgain:
    @property
    def buffer(self) -> io.BytesIO:
        return io.BytesIO(LINES.encode())


class TestStandardInput(ReaderContract):
    repeatable = False

    @pytest.fixture
    def open_reader(self) -> OpenReader:
        return jsonl.open_reader

    @pytest.fixture
    def source(self, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr(sys, "stdin", InputThatCanBeOpenedAgain())
        return "-"
