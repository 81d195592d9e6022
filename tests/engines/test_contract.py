"""The engines keep the contract of every backend that can be filled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.settings import Settings
from prorank_search.testing import IndexBackendContract
from tests.engines.servers import Server


def empty(backend: EngineIndexes) -> None:
    """Delete what an earlier test left, killed or not."""
    if backend.versions("animals"):
        backend.delete("animals")


class TestOpenSearch(IndexBackendContract):
    @pytest.fixture
    def backend(self, opensearch: Server, tmp_path: Path) -> Iterator[EngineIndexes]:
        backend = EngineIndexes(connect(Settings(url=opensearch.url)), tmp_path)
        empty(backend)
        yield backend
        empty(backend)
