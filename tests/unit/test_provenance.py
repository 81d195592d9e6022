from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from prorank_search.evaluation import provenance

OWN = f"prorank-search {version('prorank-search')}"


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package as a file in somebody's repository."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "theirs")
    file = tmp_path / "provenance.py"
    file.touch()
    monkeypatch.setattr(provenance, "__file__", str(file))
    return file


@pytest.mark.usefixtures("package")
def test_a_package_that_lies_in_somebody_elses_repository_is_none_of_its_revisions() -> None:
    assert provenance.code_revision() == OWN


def test_a_file_that_git_knows_has_a_revision_which_says_whether_it_was_changed(package: Path) -> None:
    git(package.parent, "add", package.name)
    git(package.parent, "commit", "-q", "-m", "ours")
    revision = provenance.code_revision()
    assert revision.startswith("git ")
    package.write_text("changed")
    assert provenance.code_revision() == f"{revision}-changed"


def test_outside_of_git_the_version_is_told(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(package.parent))
    assert provenance.code_revision() == OWN
