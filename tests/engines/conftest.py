from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from prorank_search.backends.engines.connection import Engine
from prorank_search.backends.engines.detection import connect
from prorank_search.local import engine as local_engine
from prorank_search.local.lock import DEFAULT_VERSION
from prorank_search.local.node import last_words
from prorank_search.settings import Settings
from tests.engines import elasticsearch_server
from tests.engines.opensearch_server import run_opensearch
from tests.engines.servers import Server

_SHOWN_LINES = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--opensearch-version", default=DEFAULT_VERSION)
    parser.addoption("--elasticsearch-version", default=elasticsearch_server.DEFAULT_VERSION)


@pytest.fixture(scope="session")
def opensearch(shared_home: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real OpenSearch for all tests of a run; it takes requests of 6 MB at most."""
    version: str = request.config.getoption("--opensearch-version", DEFAULT_VERSION)
    with run_opensearch(shared_home, version=version, settings=["http.max_content_length: 6mb"]) as server:
        yield server


@pytest.fixture(scope="session")
def opensearch_ml(shared_home: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real OpenSearch with ml-commons for all tests of a run; `make test-engines` fetches it."""
    version: str = request.config.getoption("--opensearch-version", DEFAULT_VERSION)
    if not local_engine.is_prepared(version, shared_home, with_ml=True):
        pytest.skip("the plugins are not here: make test-engines fetches them")
    with run_opensearch(shared_home, version=version, with_ml=True) as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch(shared_home: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real Elasticsearch for all tests of a run, without Elastic's own modules."""
    version: str = request.config.getoption("--elasticsearch-version", elasticsearch_server.DEFAULT_VERSION)
    with elasticsearch_server.run_elasticsearch(shared_home, version=version) as server:
        yield server


@pytest.fixture(scope="module", params=["opensearch", "elasticsearch"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two, one after another."""
    server: Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="module")
def engine(server: Server) -> Engine:
    """Our connection to it."""
    return connect(Settings(url=server.url))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of its server's log beside a test that failed."""
    del call
    report = yield
    used = item.funcargs.values() if isinstance(item, pytest.Function) else ()
    if report.failed:
        for server in (value for value in used if isinstance(value, Server)):
            report.sections.append((f"log of {server.url}", last_words(server.log, _SHOWN_LINES)))
    return report
