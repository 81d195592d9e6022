from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prorank_search import plugins
from prorank_search.protocols import Closing, Rescorer
from prorank_search.settings import Settings
from prorank_search.testing import RescorerContract
from tests.serving.live import serving, wait_until_ready
from tests.tiny_encoders import write_bi_encoder, write_cross_encoder, write_onnx
from tests.tiny_model import write_contract, write_model


class TestTheOverlapRescorer(RescorerContract):
    @pytest.fixture
    def rescorer(self, tmp_path: Path) -> Rescorer:
        rescorer: Rescorer = plugins.load("rescorers", "overlap")(Settings(home=tmp_path))
        return rescorer


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_contract(write_model(tmp_path_factory.mktemp("tiny")))


class TestTheProRankRescorer(RescorerContract):
    @pytest.fixture
    def rescorer(self, tiny_model: Path, tmp_path: Path) -> Iterator[Rescorer]:
        settings = Settings(home=tmp_path, model=str(tiny_model), device="cpu", dtype="float32")
        rescorer = plugins.load("rescorers", "prorank")(settings)
        yield rescorer
        rescorer.close()


class TestTheEmbeddingRescorer(RescorerContract):
    @pytest.fixture(params=["cls", "mean"])
    def rescorer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rescorer]:
        model = write_onnx(tmp_path / "tiny-onnx", request.param)
        yield from opened("embedding", model, tmp_path)


class TestASentenceTransformersBiEncoder(RescorerContract):
    @pytest.fixture
    def rescorer(self, tmp_path: Path) -> Iterator[Rescorer]:
        yield from opened("sentence-transformers", write_bi_encoder(tmp_path / "tiny-bi-encoder"), tmp_path)


class TestASentenceTransformersCrossEncoder(RescorerContract):
    @pytest.fixture
    def rescorer(self, tmp_path: Path) -> Iterator[Rescorer]:
        yield from opened("sentence-transformers", write_cross_encoder(tmp_path / "tiny-cross-encoder"), tmp_path)


class TestAChain(RescorerContract):
    @pytest.fixture
    def rescorer(self, tiny_model: Path, tmp_path: Path) -> Iterator[Rescorer]:
        chain = [{"rescorer": "overlap"}, {"rescorer": "prorank", "model": str(tiny_model)}]
        settings = Settings.model_validate({"home": tmp_path, "device": "cpu", "dtype": "float32", "chain": chain})
        rescorer = plugins.load("rescorers", "chain")(settings)
        yield rescorer
        rescorer.close()


class TestARemoteProRankService(RescorerContract):
    @pytest.fixture
    def rescorer(self, tiny_model: Path, tmp_path: Path) -> Iterator[Rescorer]:
        with served(tiny_model, tmp_path) as url:
            yield from asking(url)


class TestARemoteServerInTheShapeOfTei(RescorerContract):
    @pytest.fixture
    def rescorer(self, tiny_model: Path, tmp_path: Path) -> Iterator[Rescorer]:
        with served(tiny_model, tmp_path) as url:
            yield from asking(f"{url}/rerank")


class TestARemoteServerInTheShapeOfVllm(RescorerContract):
    @pytest.fixture
    def rescorer(self, tiny_model: Path, tmp_path: Path) -> Iterator[Rescorer]:
        with served(tiny_model, tmp_path) as url:
            yield from asking(f"{url}/v1/score")


@contextmanager
def served(model: Path, home: Path) -> Iterator[str]:
    rescorer = plugins.load("rescorers", "prorank")(
        Settings(home=home, model=str(model), device="cpu", dtype="float32")
    )
    with serving(lambda: rescorer) as running:
        yield wait_until_ready(running).url
    rescorer.close()


def asking(url: str) -> Iterator[Rescorer]:
    rescorer = plugins.load("rescorers", "remote")(Settings(remote_url=url))
    yield rescorer
    rescorer.close()


def opened(name: str, model: Path, home: Path) -> Iterator[Rescorer]:
    rescorer = plugins.load("rescorers", name)(Settings(home=home, model=str(model), device="cpu"))
    yield rescorer
    if isinstance(rescorer, Closing):
        rescorer.close()
