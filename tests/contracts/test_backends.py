from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search import plugins
from prorank_search.protocols import IndexBackend
from prorank_search.settings import Settings
from prorank_search.testing import IndexBackendContract, PassagesContract

ENGINES = ("opensearch", "elasticsearch")
"""They need a server: tests/engines/test_contract.py."""


class TestEveryInstalledBackend(IndexBackendContract):
    @pytest.fixture(params=[name for name in plugins.installed("backends") if name not in ENGINES])
    def backend(self, request: pytest.FixtureRequest, tmp_path: Path) -> IndexBackend:
        backend: IndexBackend = plugins.load("backends", request.param)(Settings(home=tmp_path))
        return backend


class TestPassagesInAnEmbeddedIndex(PassagesContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> IndexBackend:
        backend: IndexBackend = plugins.load("backends", "tantivy")(Settings(home=tmp_path))
        return backend
