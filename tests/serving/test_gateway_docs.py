"""The commands and examples of docs/gateway.md are run as they stand, but for the port."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prorank_search.profiles import load_profiles
from prorank_search.serving.gateway.passthrough import RESERVED
from prorank_search.serving.gateway.request import Block
from tests.serving.docs_page import ADDRESS, PRORANK, fenced, started


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "gateway.md").read_text(encoding="utf-8")


@pytest.fixture
def url(page: str, tmp_path: Path) -> Iterator[str]:
    """The address of a gateway before the index that the page's commands made."""
    _, documents, ingest, serve, *_ = fenced(page, "sh")
    subprocess.run([str(shutil.which("bash")), "-c", documents], cwd=tmp_path, check=True)
    subprocess.run([PRORANK, *shlex.split(ingest)[1:]], cwd=tmp_path, check=True)
    with started(serve, tmp_path) as address:
        yield address


def run_curl(command: str, url: str) -> Any:  # noqa: ANN401 (JSON)
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shell = shlex.split(command.replace(ADDRESS, url))
    return json.loads(subprocess.run(shell, check=True, capture_output=True).stdout)


def test_the_commands_and_the_client_of_the_page_work(page: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    search, switch = [command for command in fenced(page, "sh") if command.startswith("curl")]
    answer = run_curl(search, url)
    assert answer["prorank"]["status"] == "ok"
    assert {"rank", "first_stage_rank", "rescore_score"} <= set(answer["hits"]["hits"][0]["prorank"])
    (example,) = fenced(page, "python")
    exec(compile(example.replace(ADDRESS, url), "example", "exec"), {})  # noqa: S102 (our own documentation)
    assert capsys.readouterr().out.startswith("ok ['fox', ")
    assert run_curl(switch, url)["rescoring"] is False
    assert run_curl(search, url)["prorank"]["status"] == "skipped"


def test_every_key_of_the_block_is_on_the_page(page: str) -> None:
    assert [key for key in Block.model_fields if f"`{key}`" not in page] == []
    assert [path for path in RESERVED if f"`{path}`" not in page] == []


def test_the_profile_of_the_page_is_one(page: str, tmp_path: Path) -> None:
    (table,) = fenced(page, "toml")
    (tmp_path / "prorank.toml").write_text(table, encoding="utf-8")
    assert load_profiles(tmp_path / "prorank.toml")["books"].gateway.percent == 5.0
