"""The core without extras, in the environment that `make test` keeps in .venv-bare."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

DOCUMENTS = [
    {"_id": "fox", "title": "Foxes", "text": "The quick brown fox jumps over the lazy dog."},
    {
        "_id": "hen",
        "title": "Hens",
        "text": "A hen lays one egg a day, but for Sundays; no fox in sight, no fox at all.",
    },
]


@pytest.fixture(scope="session")
def bare(repository: Path) -> Path:
    """The folder of the bare environment's programs."""
    programs = repository / ".venv-bare" / "bin"
    if not programs.exists():
        pytest.fail("the bare environment is missing: make .venv-bare/.setup")
    return programs


def run(*command: str | Path) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture
def index(bare: Path, tmp_path: Path) -> str:
    """The name of an index that the bare environment filled."""
    source = tmp_path / "animals.jsonl"
    source.write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS), encoding="utf-8")
    run(bare / "prorank", "ingest", source, "--index", "animals")
    return "animals"


def found_by(stdout: str) -> list[str]:
    return [hit["doc_id"] for hit in json.loads(stdout)["hits"]]


def test_the_bare_environment_has_no_torch(bare: Path) -> None:
    run(bare / "python", "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is not None)")


def test_the_library_is_imported_without_extras(bare: Path) -> None:
    run(bare / "python", "-c", "import prorank_search; prorank_search.search")


def test_the_core_ingests_and_searches(bare: Path, index: str) -> None:
    answer = run(bare / "prorank", "search", "fox", "--index", index, "--no-rescore", "--json")
    assert sorted(found_by(answer)) == ["fox", "hen"]


def test_the_core_rescores_without_a_model(bare: Path, index: str) -> None:
    answer = run(bare / "prorank", "search", "lazy fox", "--index", index, "--rescorer", "overlap", "--json")
    assert found_by(answer)[0] == "fox"
    assert json.loads(answer)["status"]["state"] == "ok"


def test_a_model_that_needs_an_extra_names_the_line_that_installs_it(bare: Path, index: str) -> None:
    command = [str(bare / "prorank"), "search", "fox", "--index", index, "--rescorer", "prorank"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "pip install 'prorank-search[model]'" in " ".join(answer.stderr.split())


@pytest.mark.parametrize("backend", ["opensearch", "elasticsearch", "auto"])
def test_an_engine_whose_client_is_missing_names_the_line_that_installs_it(bare: Path, backend: str) -> None:
    at = ["--backend", backend, "--url", "http://127.0.0.1:9", "--no-rescore"]
    command = [str(bare / "prorank"), "search", "fox", "--index", "animals", *at]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    named = "opensearch" if backend == "auto" else backend
    assert f"pip install 'prorank-search[{named}]'" in " ".join(answer.stderr.split())
