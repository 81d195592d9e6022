"""The engines keep the contracts of every backend that can be filled, also with passages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.settings import Settings
from prorank_search.testing import IndexBackendContract, PassagesContract
from tests.engines.servers import Server


def emptied(server: Server, home: Path) -> Iterator[EngineIndexes]:
    """Give a server without the indexes of the contracts, before and after."""
    backend = EngineIndexes(connect(Settings(url=server.url)), home)
    delete(backend)
    yield backend
    delete(backend)


def delete(backend: EngineIndexes) -> None:
    for index in ("animals", "farm"):
        if backend.versions(index):
            backend.delete(index)


class TestOpenSearch(IndexBackendContract):
    @pytest.fixture
    def backend(self, opensearch: Server, tmp_path: Path) -> Iterator[EngineIndexes]:
        yield from emptied(opensearch, tmp_path)


class TestElasticsearch(IndexBackendContract):
    @pytest.fixture
    def backend(self, elasticsearch: Server, tmp_path: Path) -> Iterator[EngineIndexes]:
        yield from emptied(elasticsearch, tmp_path)


class TestPassagesInOpenSearch(PassagesContract):
    @pytest.fixture
    def backend(self, opensearch: Server, tmp_path: Path) -> Iterator[EngineIndexes]:
        yield from emptied(opensearch, tmp_path)


class TestPassagesInElasticsearch(PassagesContract):
    @pytest.fixture
    def backend(self, elasticsearch: Server, tmp_path: Path) -> Iterator[EngineIndexes]:
        yield from emptied(elasticsearch, tmp_path)
