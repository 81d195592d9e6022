from __future__ import annotations

import pytest

from tests.engines.asking import asked
from tests.engines.servers import Server

ENGLISH = ["run", "dog"]
BIGRAMS = ["検索", "索す", "する"]


@pytest.fixture(params=["opensearch", "elasticsearch"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def test_the_server_says_its_version(server: Server) -> None:
    assert asked(server.url, "/")["version"]["number"] == server.version


@pytest.mark.parametrize(
    ("analyzer", "text", "terms"), [("english", "running dogs", ENGLISH), ("cjk", "検索する", BIGRAMS)]
)
def test_the_server_has_the_analysis_of_the_presets(server: Server, analyzer: str, text: str, terms: list[str]) -> None:
    tokens = asked(server.url, "/_analyze", {"analyzer": analyzer, "text": text})["tokens"]

    assert [token["token"] for token in tokens] == terms


def test_opensearch_says_that_it_is_opensearch(opensearch: Server) -> None:
    assert asked(opensearch.url, "/")["version"]["distribution"] == "opensearch"
