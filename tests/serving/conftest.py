from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from prorank_search.protocols import Rescorer
from prorank_search.rescorers.overlap import OverlapRescorer
from tests.serving.gateway_asking import TEXTS
from tests.serving.live import Served, serving, wait_until_ready
from tests.serving.stub_engine import StubEngine, stub_engine


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts services of any rescorer, ready to be asked; they end with the test."""
    with ExitStack() as running:

        def start(rescorer: Rescorer, **settings: object) -> Served:
            return wait_until_ready(running.enter_context(serving(lambda: rescorer, None, **settings)))

        yield start


@pytest.fixture(scope="module")
def overlap() -> Iterator[Served]:
    """A service of the rescorer that needs no model."""
    with serving(OverlapRescorer, rescorer="overlap") as served:
        yield wait_until_ready(served)


@pytest.fixture
def engine() -> Iterator[StubEngine]:
    """An engine that finds the same hits each time."""
    with stub_engine(TEXTS) as running:
        yield running


@pytest.fixture
def served(serve: Callable[..., Served], engine: StubEngine) -> Served:
    """A gateway in front of it, with the rescorer that needs no model."""
    return serve(OverlapRescorer(), url=engine.url)
