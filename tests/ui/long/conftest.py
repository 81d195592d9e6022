"""An installation for each file of this folder, and the camera that looks at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search import jobs
from tests import tiny_model
from tests.ui import installation
from tests.ui import test_browser as browser
from tests.ui.camera import Camera
from tests.ui.conftest import install_stages

if TYPE_CHECKING:
    from playwright.sync_api import Page

page = browser.page
VARIABLES = {
    "PRORANK_RESCORER": "shared-words",
    "PRORANK_DEVICE": "cpu",
    "PRORANK_DTYPE": "float32",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the stand-ins lie in."""
    return install_stages(tmp_path_factory.mktemp("stages"), installation.STAGES, installation.ENTRY_POINTS)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, plugins: Path) -> Iterator[str]:
    """Serve an installation without an index; yield its address."""
    home = tmp_path_factory.mktemp("bare")
    with browser.served(plugins, VARIABLES | {"PRORANK_HOME": str(home)}) as address:
        yield address


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of an installation with an index, judgments and a model of a few kilobytes."""
    home = tmp_path_factory.mktemp("furnished")
    installation.write_index(home)
    installation.write_judgments(home)
    tiny_model.write_model(home / "models" / "tiny")
    (home / "models" / "tiny" / "source.json").write_text('{"license": "MIT", "origin": "a test"}', encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def address(furnished: Path, plugins: Path) -> Iterator[str]:
    """Serve the furnished installation; yield its address."""
    with browser.served(plugins, VARIABLES | {"PRORANK_HOME": str(furnished)}) as url:
        yield url
    for job in jobs.jobs(furnished / "jobs"):
        jobs.stop(job)


@pytest.fixture
def home(furnished: Path, plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the furnished home, in force for this process and the jobs that it starts."""
    for name, value in (VARIABLES | {"PRORANK_HOME": str(furnished)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(plugins), prepend=os.pathsep)
    monkeypatch.syspath_prepend(plugins)
    monkeypatch.chdir(tmp_path)
    return furnished


@pytest.fixture
def camera(page: Page, repository: Path) -> Camera:
    """Return a camera whose pictures stay in build/ui."""
    folder = repository / "build" / "ui"
    folder.mkdir(parents=True, exist_ok=True)
    return Camera(page, folder)


def ask_who_judges(page: Page, address: str) -> None:
    """Open Judge in a browser that does not remember who judges."""
    page.context.clear_cookies()
    page.goto(f"{address}/judge?set={installation.QUERY_SET}")
    page.get_by_label("Your name").wait_for()


def name_oneself(page: Page) -> None:
    """Answer Judge's question who judges."""
    page.get_by_label("Your name").fill("cy")
    page.keyboard.press("Enter")


def open_desk(page: Page, address: str) -> None:
    """Open Judge at a hit."""
    ask_who_judges(page, address)
    name_oneself(page)
    page.wait_for_selector(".jc-card")
