"""The commands of the pages about engines run as they stand there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.backends.engines.analysis import plan
from prorank_search.backends.engines.detection import connect
from prorank_search.cli import app
from prorank_search.errors import BackendError, InputError
from prorank_search.search import load_backend
from prorank_search.settings import Settings
from prorank_search.testing.backends import DOCUMENTS
from tests.engines.indexes import our_index, shop
from tests.engines.servers import Server

BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(repository: Path, page: str, language: str) -> list[str]:
    text = (repository / "docs" / page).read_text(encoding="utf-8")
    return [code for found, code in BLOCK.findall(text) if found == language]


def commands(repository: Path, page: str) -> list[list[str]]:
    lines = [line for block in blocks(repository, page, "bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("prorank ")]


@pytest.fixture(autouse=True)
def folder(opensearch: Server, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the pages name, and a server at PRORANK_URL."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_URL", opensearch.url)
    (tmp_path / "body.json").write_text(blocks(repository, "engines.md", "json")[0], encoding="utf-8")
    (tmp_path / "docs.jsonl").write_text(
        json.dumps({"id": "1", "title": "Whales", "text": "def sleep(whale): ..."}), encoding="utf-8"
    )
    return tmp_path


@pytest.fixture
def filled(opensearch: Server) -> Iterator[None]:
    engine = connect(Settings(url=opensearch.url))
    with our_index(engine, "animals", plan("english", smartcn=False), DOCUMENTS), shop(engine, "shop"):
        yield


@pytest.mark.usefixtures("filled")
def test_the_commands_about_connecting_run_and_the_profile_is_the_one_that_is_shown(
    repository: Path, folder: Path
) -> None:
    given = commands(repository, "engines.md")
    for command in given:
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, (command, result.output)
    assert len(given) == 6
    assert blocks(repository, "engines.md", "toml")[0] in (folder / "prorank.toml").read_text(encoding="utf-8")


def test_the_commands_about_analysis_run(repository: Path, opensearch: Server) -> None:
    backend = load_backend(Settings(url=opensearch.url))
    try:
        for command in commands(repository, "analysis.md"):
            result = CliRunner().invoke(app, command)
            assert result.exit_code == 0, (command, result.output)
        assert "sleep" in result.output
        assert {info.name: info.analysis for info in backend.indexes()}["handbook"] == "english,title=standard"
    finally:
        backend.delete("handbook")


def test_the_commands_about_passages_run(
    repository: Path, folder: Path, opensearch: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRORANK_RESCORER", "overlap")
    text = "The bridge was built in a year. It did cost a million. " * 40
    (folder / "reports.jsonl").write_text(json.dumps({"id": "1", "text": text}), encoding="utf-8")
    backend = load_backend(Settings(url=opensearch.url))
    given = [command for command in commands(repository, "passages.md") if "--url" in command]
    try:
        for command in given:
            result = CliRunner().invoke(app, [*command[:-1], opensearch.url])
            assert result.exit_code == 0, (command, result.output)
        assert "passage at characters" in " ".join(result.output.replace("│", " ").split())
        assert len(given) == len(["ingest", "compare"])
    finally:
        backend.delete("reports")


def test_the_table_of_failures_has_the_messages_words(repository: Path, opensearch: Server) -> None:
    page = (repository / "docs" / "engines.md").read_text(encoding="utf-8")
    with pytest.raises(InputError) as missing:
        load_backend(Settings(url=opensearch.url)).count("x")
    with pytest.raises(BackendError) as nobody:
        load_backend(Settings(url="http://127.0.0.1:9", engine_attempts=1))
    for told in (missing, nobody):
        assert f"`{str(told.value).partition('http://')[0]}http://" in page
