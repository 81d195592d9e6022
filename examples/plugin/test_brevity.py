"""The contract suite says whether the plugin does what every rescorer must."""

from __future__ import annotations

import brevity
import pytest

from prorank_search.settings import Settings
from prorank_search.testing import RescorerContract


class TestBrevity(RescorerContract):
    """Shorter texts score higher, and the rest is as everywhere."""

    @pytest.fixture
    def rescorer(self) -> brevity.BrevityRescorer:
        """Return the rescorer under test."""
        return brevity.open_rescorer(Settings())
