from __future__ import annotations

import json
import sys
import threading
from importlib.metadata import requires
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search import plugins
from prorank_search.cli import app
from prorank_search.plugins import Plugin

METADATA = """Metadata-Version: 2.4
Name: shelf-search
Version: 1.2
Provides-Extra: fast-shelf
Requires-Dist: typer
Requires-Dist: typer[all]>=0.1; extra == 'fast-shelf'
Requires-Dist: nobody-has-this (>=2); extra == "fast-shelf"
"""
ENTRY_POINTS = """[prorank_search.backends]
shelf = shelf_search:open_backend [fast-shelf]
[prorank_search.rescorers]
works = shelf_search:open_rescorer
typo = shelf_search:open_rescorre
raises = shelf_broken:open_rescorer
lacks = shelf_lacks:open_rescorer
"""


@pytest.fixture
def of_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Plugin]:
    """What is told of the plugins of an installed package, by name."""
    (tmp_path / "shelf_search.py").write_text("def open_rescorer(settings): raise AssertionError('never called')")
    (tmp_path / "shelf_broken.py").write_text("raise RuntimeError('not today')")
    (tmp_path / "shelf_lacks.py").write_text("import torchvision_of_nobody")
    info = tmp_path / "shelf_search-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {plugin.name: plugin for plugin in plugins.survey() if plugin.package == "shelf-search"}
    for name in ("shelf_search", "shelf_broken", "shelf_lacks"):
        sys.modules.pop(name, None)
    return found


def test_a_plugin_is_told_with_package_version_and_kind(of_shelf: dict[str, Plugin]) -> None:
    assert of_shelf["works"] == Plugin("works", "rescorers", "shelf-search", "1.2", None, "ready")


def test_a_plugin_whose_extra_is_not_installed_names_the_line_that_installs_it(of_shelf: dict[str, Plugin]) -> None:
    shelf = of_shelf["shelf"]
    assert (shelf.extra, shelf.state) == ("fast-shelf", "missing")
    assert shelf.advice == "pip install 'shelf-search[fast-shelf]' (nobody-has-this not installed)"
    assert of_shelf["lacks"].state == "missing"
    assert "pip install torchvision_of_nobody" in of_shelf["lacks"].advice


@pytest.mark.parametrize(("name", "why"), [("typo", "open_rescorre"), ("raises", "RuntimeError: not today")])
def test_a_plugin_that_cannot_be_imported_is_broken_and_says_why(
    of_shelf: dict[str, Plugin], name: str, why: str
) -> None:
    assert of_shelf[name].state == "broken"
    assert why in of_shelf[name].advice


@pytest.mark.usefixtures("of_shelf")
def test_folders_that_come_and_go_in_another_thread_hide_no_plugin() -> None:
    ended = threading.Event()

    def come_and_go() -> None:  # as Streamlit does with the folder of its script
        while not ended.is_set():
            sys.path.insert(0, "/nowhere")
            sys.path.remove("/nowhere")

    meddling = threading.Thread(target=come_and_go)
    meddling.start()
    try:
        found = ["shelf" in plugins.installed("backends") for _ in range(40)]
    finally:
        ended.set()
        meddling.join()
    assert all(found)


def test_every_extra_that_a_plugin_of_ours_names_exists() -> None:
    named = {plugin.extra for plugin in plugins.survey() if plugin.package == "prorank-search" and plugin.extra}
    described = "\n".join(requires("prorank-search") or ())
    assert named >= {"model", "sentence-transformers", "readers"}
    assert [extra for extra in named if f"extra == '{extra}'" not in described] == []


def test_the_command_prints_a_table_or_json() -> None:
    rows = CliRunner().invoke(app, ["plugins"]).stdout.splitlines()
    assert rows[0].split() == ["kind", "name", "package", "version", "extra", "state"]
    assert ["rescorers", "overlap", "prorank-search"] in [row.split()[:3] for row in rows]
    listed = json.loads(CliRunner().invoke(app, ["plugins", "--json"]).stdout)
    (overlap,) = [plugin for plugin in listed if plugin["name"] == "overlap"]
    assert (overlap["kind"], overlap["state"], overlap["extra"]) == ("rescorers", "ready", None)
