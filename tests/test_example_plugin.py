"""examples/plugin is installed into an environment of its own, found there, held to its contract and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def python(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the plugin, which has everything else from the one of this test."""
    if find_spec("ensurepip") is None:
        pytest.skip("this Python cannot make environments with pip: ensurepip is not installed")
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    here = sysconfig.get_path("purelib")
    site = Path(answer(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "borrowed.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    shutil.copytree(repository / "examples" / "plugin", folder / "plugin")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
    answer(python, "-m", "pip", "install", *offline, folder / "plugin")
    return python


def answer(python: Path, *command: str | Path) -> str:
    ran = subprocess.run([python, *command], capture_output=True, text=True, env=dict(os.environ), check=False)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return ran.stdout


def test_the_plugin_is_found_with_its_package_and_is_ready(python: Path) -> None:
    listed = json.loads(answer(python, "-m", "prorank_search.cli", "plugins", "--json"))
    (brevity,) = [plugin for plugin in listed if plugin["name"] == "brevity"]
    assert brevity == {
        "name": "brevity",
        "kind": "rescorers",
        "package": "prorank-brevity",
        "version": "0.1.0",
        "extra": None,
        "state": "ready",
        "advice": "",
    }


def test_the_environment_of_the_tests_does_not_have_it() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "prorank_search.cli", "plugins"], capture_output=True, text=True, check=True
    )
    assert "brevity" not in listed.stdout


def test_the_plugin_keeps_the_contract_of_rescorers(python: Path, repository: Path) -> None:
    folder = repository / "examples" / "plugin"
    options: list[str | Path] = ["-q", "-p", "no:cacheprovider", "--rootdir", folder, "-c", os.devnull]
    assert " passed" in answer(python, "-m", "pytest", *options, folder / "test_brevity.py")


def test_the_plugin_rescores_a_search(python: Path, tmp_path: Path) -> None:
    rows = [{"_id": "long", "text": "fox fox and a hen and an owl"}, {"_id": "short", "text": "a fox"}]
    source = tmp_path / "animals.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    prorank = ["-m", "prorank_search.cli"]
    answer(python, *prorank, "ingest", source, "--index", "animals")
    asked = ["search", "fox", "--index", "animals", "--rescorer", "brevity", "--json"]
    found = json.loads(answer(python, *prorank, *asked))
    assert [hit["doc_id"] for hit in found["hits"]] == ["short", "long"]
    assert found["status"]["model"] == "brevity"
