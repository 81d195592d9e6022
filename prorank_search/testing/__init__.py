"""Contract suites: what every backend, rescorer and reader must do, as pytest classes to inherit from.

class TestMine(IndexBackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        return open_backend(Settings(home=tmp_path))
"""

from __future__ import annotations

from prorank_search.testing.backends import DOCUMENTS, IndexBackendContract, SearchBackendContract
from prorank_search.testing.passages import PassagesContract
from prorank_search.testing.readers import ReaderContract
from prorank_search.testing.rescorers import RescorerContract

__all__ = [
    "DOCUMENTS",
    "IndexBackendContract",
    "PassagesContract",
    "ReaderContract",
    "RescorerContract",
    "SearchBackendContract",
]
