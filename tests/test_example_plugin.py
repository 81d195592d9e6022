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

from tests.serving.docs_page import fenced


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


def test_the_commands_and_the_program_of_the_page_work(
    python: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(repository / "examples" / "plugin", tmp_path / "examples" / "plugin")
    (installed, *lines) = [line for block in fenced(page, "sh") for line in block.splitlines()]
    assert installed == "pip install ./examples/plugin"  # as the environment of these tests was made
    here = {
        "prorank": f"{python} -m prorank_search.cli",
        "pytest": f"{python} -m pytest -q -p no:cacheprovider -c {os.devnull}",
    }
    said = []
    for line in lines:
        command, _, rest = line.partition(" ")
        line_here = f"{here.get(command, command)} {rest}"
        ran = subprocess.run(line_here, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
        assert ran.returncode == 0, (line, ran.stderr, ran.stdout)
        said.append(ran.stdout)
    listed, _, _, found, tested = said
    assert "prorank-brevity" in listed
    assert found.index("short") < found.index("long")
    assert " passed" in tested
    (program,) = fenced(page, "python")
    assert answer(python, "-c", program).splitlines() == ["brevity ['short', 'long']", "shortest ['short', 'long']"]
