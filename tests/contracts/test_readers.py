from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prorank_ingest.readers import jsonl
from prorank_search import plugins
from prorank_search.protocols import OpenReader
from prorank_search.testing import ReaderContract

LINES = '{"_id": "a", "text": "x", "n": 1}\nnonsense\n{"_id": "b", "title": "B"}\n'
TABLE = "id,text\na,x\nb\nc,y\n"
MODULE = (
    '"""Animals."""\n\n\ndef bark() -> str:\n    """Bark."""\n    return "woof"\n\n\nclass Dog:\n    """A dog."""\n'
)

FILES = {
    "beir": {"corpus/corpus.jsonl": LINES.encode()},
    "files": {"folder/a.md": b"# A\n\nx", "folder/b.txt": b"\xff", "folder/c.py": b"y = 1"},
    "jsonl": {"lines.jsonl": LINES.encode()},
    "package": {"kennel_of_a_test.py": MODULE.encode()},
    "table": {"table.csv": TABLE.encode()},
    "topics": {},
}
SOURCES = {
    "beir": "corpus",
    "files": "folder",
    "jsonl": "lines.jsonl",
    "package": "kennel_of_a_test",
    "table": "table.csv",
    "topics": "python-topics",
}


class TestEveryInstalledReader(ReaderContract):
    @pytest.fixture(params=plugins.installed("readers"))
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
    def change_source(self, name: str) -> Callable[[], object]:
        if not FILES[name]:
            pytest.skip("this source does not change")
        path = next(iter(FILES[name]))
        return lambda: Path(path).write_bytes(FILES[name][path] + b"\n")


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
