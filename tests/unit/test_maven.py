"""Fetching from a Maven repository: a server of the tests' own stands for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from prorank_search.errors import MissingArtifactError
from prorank_search.maven import fetch, relative_path
from tests.maven_repository import serve

JAR = "org.tiny:tool:1.0"
ARCHIVE = "org.tiny:tool:1.0:zip"
CONTENT = {JAR: b"a jar", ARCHIVE: b"an archive"}
PINNED = {coordinate: hashlib.sha256(content).hexdigest() for coordinate, content in CONTENT.items()}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The folder that the repository's server shows."""
    folder = tmp_path / "published"
    for coordinate, content in CONTENT.items():
        path = folder / relative_path(coordinate)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture
def repository(published: Path) -> Iterator[str]:
    with serve(published) as address:
        yield address


def test_artifacts_of_any_packaging_are_fetched_once(repository: str, published: Path, tmp_path: Path) -> None:
    steps: list[float] = []
    places = fetch(PINNED, tmp_path / "kept", lambda _step, done: steps.append(done), repository=repository)

    assert {coordinate: places[coordinate].read_bytes() for coordinate in PINNED} == CONTENT
    assert steps == [0.5, 1.0]

    for path in published.rglob("tool-*"):
        path.unlink()

    assert fetch(PINNED, tmp_path / "kept", repository=repository) == places


def test_an_artifact_that_is_not_the_pinned_one_is_refused_and_not_kept(
    repository: str, published: Path, tmp_path: Path
) -> None:
    (published / relative_path(JAR)).write_bytes(b"a j")

    with pytest.raises(MissingArtifactError, match=r"tool:.* is not what is expected"):
        fetch({JAR: PINNED[JAR]}, tmp_path / "kept", repository=repository)

    assert not list((tmp_path / "kept").rglob("*.*"))

    (published / relative_path(JAR)).write_bytes(CONTENT[JAR])

    assert fetch({JAR: PINNED[JAR]}, tmp_path / "kept", repository=repository)[JAR].read_bytes() == CONTENT[JAR]


def test_an_artifact_that_nobody_has_is_told_with_what_to_do(repository: str, tmp_path: Path) -> None:
    with pytest.raises(MissingArtifactError, match=r"(?s)cannot fetch org\.tiny:none:1\.0 .*Check the network"):
        fetch({"org.tiny:none:1.0": "0"}, tmp_path / "kept", repository=repository)


def test_a_repository_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifactError, match="cannot fetch"):
        fetch({JAR: PINNED[JAR]}, tmp_path / "kept", repository="http://127.0.0.1:9")
