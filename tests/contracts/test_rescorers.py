from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search import plugins
from prorank_search.protocols import Rescorer
from prorank_search.settings import Settings
from prorank_search.testing import RescorerContract


class TestTheOverlapRescorer(RescorerContract):
    @pytest.fixture
    def rescorer(self, tmp_path: Path) -> Rescorer:
        rescorer: Rescorer = plugins.load("rescorers", "overlap")(Settings(home=tmp_path))
        return rescorer
