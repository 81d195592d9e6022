"""The Python examples of README and CONTRIBUTING are run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prorank_search import Settings
from prorank_search.errors import ConfigError
from prorank_search.plugins import load
from prorank_search.protocols import BadRecord, Reader, ReaderOptions, Rescorer, SearchBackend
from prorank_search.types import Document, Query, ScoreRequest, SearchRequest

FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(page: Path) -> list[str]:
    return FENCED.findall(page.read_text(encoding="utf-8"))


def run(example: str) -> dict[str, Any]:
    """Run an example in a module of its own and return the names it made."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, "example", "exec", dont_inherit=True), names)  # noqa: S102 (our own documentation)
    return names


def example_that_defines(name: str, repository: Path) -> dict[str, Any]:
    (example,) = [text for text in examples(repository / "CONTRIBUTING.md") if f"\ndef {name}(" in text]
    return run(example)


@pytest.fixture
def mine(prorank_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index named mine, and the rescorer that needs no model."""
    monkeypatch.setenv("PRORANK_RESCORER", "overlap")
    backend = load("backends", "tantivy")(Settings(home=prorank_home))
    with backend.writer("mine", analysis="english", replace=False) as writer:
        writer.add([Document("csv", "Read a csv file.", title="Tables"), Document("boat", "How to row.")])
        writer.publish()


def test_the_search_of_the_readme_prints_a_line_for_each_hit(
    repository: Path, mine: None, capsys: pytest.CaptureFixture[str]
) -> None:
    del mine
    run(examples(repository / "README.md")[0])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_search_of_the_readme_reads_the_settings_file(
    repository: Path, mine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del mine
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prorank.toml").write_text("backend = 'opensearch'")
    with pytest.raises(ConfigError, match="'opensearch' needs an address"):
        run(examples(repository / "README.md")[0])


def test_the_rescoring_of_the_readme_puts_the_fox_first(repository: Path, mine: None) -> None:
    del mine
    names = run(examples(repository / "README.md")[1])
    assert [hit.document.doc_id for hit in names["hits"]] == ["b", "a"]
    assert names["status"].state == "ok"


def test_the_rescorer_of_contributing_scores(repository: Path) -> None:
    rescorer = example_that_defines("open_rescorer", repository)["open_rescorer"](Settings())
    assert isinstance(rescorer, Rescorer)
    request = ScoreRequest("fox", ["long text", "text"])
    assert [scored.score for scored in rescorer.score(request)] == [-9.0, -4.0]
    assert rescorer.score(ScoreRequest("fox", ["text"], deadline=0.0))[0].score is None


def test_the_backend_of_contributing_finds(repository: Path) -> None:
    backend = example_that_defines("open_backend", repository)["open_backend"](Settings())
    assert isinstance(backend, SearchBackend)
    ranking = backend.search(SearchRequest("animals", Query("1", "fox hen")))
    assert [hit.document.doc_id for hit in ranking.hits] == ["fox", "hen"]


def test_the_reader_of_contributing_reads(repository: Path, tmp_path: Path) -> None:
    open_reader = example_that_defines("open_reader", repository)["open_reader"]
    path = tmp_path / "some.quotes"
    path.write_text("Ada: That brain of mine\nno name\nBob: Hello\n", encoding="utf-8")
    reader = open_reader(str(path), ReaderOptions())
    assert isinstance(reader, Reader)
    assert [record.doc_id for record in reader.read() if isinstance(record, Document)] == ["quote-1", "quote-3"]
    assert [record.line for record in reader.read(1) if isinstance(record, BadRecord)] == [2]
    assert open_reader("some.csv", ReaderOptions()) is None


def test_the_reader_of_contributing_keeps_its_protocol(repository: Path, tmp_path: Path) -> None:
    parts = [
        text for text in examples(repository / "CONTRIBUTING.md") if "QuotesReader" in text or "TestQuotes" in text
    ]
    (tmp_path / "test_quotes.py").write_text("\n".join(parts), encoding="utf-8")
    suite = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_quotes.py"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert suite.returncode == 0, suite.stdout
