from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

import pytest

from prorank_search.local.node import HOST
from tests.engines.servers import Server

ENGLISH = ["run", "dog"]
BIGRAMS = ["検索", "索す", "する"]


def asked(server: Server, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 (JSON)
    connection = http.client.HTTPConnection(HOST, int(server.url.rpartition(":")[2]), timeout=60)
    if body is None:
        connection.request("GET", path)
    else:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    with connection.getresponse() as response:
        return json.loads(response.read())


@pytest.fixture(params=["opensearch", "elasticsearch"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def test_the_server_says_its_version(server: Server) -> None:
    assert asked(server, "/")["version"]["number"] == server.version


@pytest.mark.parametrize(
    ("analyzer", "text", "terms"), [("english", "running dogs", ENGLISH), ("cjk", "検索する", BIGRAMS)]
)
def test_the_server_has_the_analysis_of_the_presets(server: Server, analyzer: str, text: str, terms: list[str]) -> None:
    tokens = asked(server, "/_analyze", {"analyzer": analyzer, "text": text})["tokens"]

    assert [token["token"] for token in tokens] == terms


def test_opensearch_says_that_it_is_opensearch(opensearch: Server) -> None:
    assert asked(opensearch, "/")["version"]["distribution"] == "opensearch"
