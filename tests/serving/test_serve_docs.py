"""The commands and examples of docs/serve.md are run as they stand, but for the port."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from prorank_search.cli import load_command
from tests.serving.docs_page import ADDRESS, fenced, started

SERVE = "prorank serve --rescorer overlap"


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "serve.md").read_text(encoding="utf-8")


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a service that the page's command started."""
    with started(SERVE) as address:
        yield address


def test_the_page_serves_as_the_tests_do(page: str) -> None:
    assert SERVE in [command.strip() for command in fenced(page, "sh")]


def test_the_answer_is_the_one_of_the_page(page: str, url: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (command,) = [command for command in fenced(page, "sh") if command.startswith("curl")]
    answered = subprocess.run(shlex.split(command.replace(ADDRESS, url)), check=True, capture_output=True).stdout
    (shown,) = fenced(page, "json")
    assert shape(json.loads(answered)) == shape(json.loads(shown))


def shape(answer: dict[str, object]) -> object:
    """What of an answer is the same each time."""
    prorank = answer["prorank"]
    assert isinstance(prorank, dict)
    return answer | {"id": "", "prorank": prorank | {"took_ms": 0, "reason": ""}}


def test_the_client_of_the_page_prints_the_fox_first(page: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = fenced(page, "python")
    exec(compile(example.replace(ADDRESS, url), "example", "exec"), {})  # noqa: S102 (our own documentation)
    assert capsys.readouterr().out == "[1, 0]\n"


def test_every_path_of_the_page_is_served_and_every_path_is_on_the_page(page: str, url: str) -> None:
    paths = {*httpx.get(f"{url}/openapi.json", timeout=60).json()["paths"], "/openapi.json"}
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `/")]
    assert {path for row in rows for path in re.findall(r"`(/[^` ]*)`", row)} == paths


def test_without_the_extra_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from prorank_search.errors import MissingExtraError

    monkeypatch.setattr("prorank_search.plugins.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"prorank-search\[serve\]"):
        load_command("serve").main([], standalone_mode=False)
