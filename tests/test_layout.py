from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

PACKAGES = ("prorank_search", "ingest/prorank_ingest", "training/prorank_training", "ui/prorank_ui")
SHELVES = ("docker", "ingest", "training", "ui", "tests", "benchmarks")
VAGUE_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "base", "manager"}
MAX_LINES = 400
PLUGIN_KINDS = ("backends", "rescorers", "readers")


def source_files(repository: Path) -> list[Path]:
    folders = [*PACKAGES, "tests", "benchmarks"]
    return [path for folder in folders for path in sorted((repository / folder).rglob("*.py"))]


def our_plugins() -> list[EntryPoint]:
    points = [point for kind in PLUGIN_KINDS for point in entry_points(group=f"prorank_search.{kind}")]
    return [point for point in points if point.dist is not None and point.dist.name == "prorank-search"]


def test_a_file_has_at_most_400_lines(repository: Path) -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in source_files(repository)}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


def test_a_module_says_what_it_holds(repository: Path) -> None:
    names = [path.relative_to(repository).with_suffix("") for path in source_files(repository)]
    assert [str(name) for name in names if VAGUE_WORDS.intersection(name.parts)] == []


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_folder_that_holds_packages_is_none_itself(repository: Path, shelf: str) -> None:
    assert not (repository / shelf / "__init__.py").exists()


def test_docker_holds_no_python(repository: Path) -> None:
    assert list((repository / "docker").rglob("*.py")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_tells_type_checkers_that_it_is_typed(repository: Path, package: str) -> None:
    assert (repository / package / "py.typed").exists()


def test_the_wheel_brings_four_import_names_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=repository, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition("/")[0] for name in archive.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {Path(package).name for package in PACKAGES}


@pytest.mark.parametrize("plugin", our_plugins(), ids=lambda point: f"{point.group}:{point.name}")
def test_a_plugin_is_called_like_its_module(plugin: EntryPoint) -> None:
    assert plugin.name.replace("-", "_") == plugin.module.rpartition(".")[2]
