from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from prorank_search.protocols import Rescorer
from prorank_search.rescorers.overlap import OverlapRescorer
from tests.serving.live import Served, serving, wait_until_ready


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts services of any rescorer, ready to be asked; they end with the test."""
    with ExitStack() as running:

        def start(rescorer: Rescorer, **settings: object) -> Served:
            return wait_until_ready(running.enter_context(serving(lambda: rescorer, **settings)))

        yield start


@pytest.fixture(scope="module")
def overlap() -> Iterator[Served]:
    """A service of the rescorer that needs no model."""
    with serving(OverlapRescorer, rescorer="overlap") as served:
        yield wait_until_ready(served)
