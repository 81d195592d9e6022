"""`--with-ml`: the plugins are there and work. `make test-engines` fetches them; elsewhere these tests are left out."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prorank_search.local import engine
from prorank_search.local.lock import known_versions
from tests.engines.asking import asked
from tests.engines.opensearch_server import run_opensearch
from tests.engines.servers import UP_TIMEOUT_S, Server

CONNECTOR = {
    "name": "prorank",
    "description": "a rerank service",
    "version": "1",
    "protocol": "http",
    "credential": {"key": "secret"},
    "parameters": {"model": "prorank"},
    "actions": [
        {
            "action_type": "predict",
            "method": "POST",
            "url": "https://api.cohere.ai/v1/rerank",
            "headers": {"Authorization": "Bearer ${credential.key}"},
            "request_body": '{"documents": ${parameters.documents}, "query": "${parameters.query}"}',
            "pre_process_function": "connector.pre_process.cohere.rerank",
            "post_process_function": "connector.post_process.cohere.rerank",
        }
    ],
}
PLUGINS = {"opensearch-job-scheduler", "opensearch-knn", "opensearch-ml", "opensearch-neural-search"}


@pytest.fixture(scope="module", params=known_versions())
def server(request: pytest.FixtureRequest, shared_home: Path) -> Iterator[Server]:
    version: str = request.param
    if not engine.is_prepared(version, shared_home, with_ml=True):
        pytest.skip("the plugins are not here: make test-engines fetches them")
    with run_opensearch(shared_home, version=version, with_ml=True) as running:
        yield running


def test_the_four_plugins_run(server: Server) -> None:
    assert {row["component"] for row in asked(server.url, "/_cat/plugins?format=json")} == PLUGINS


def test_a_connector_to_a_rerank_service_can_be_made(server: Server) -> None:
    made = asked(server.url, "/_plugins/_ml/connectors/_create", CONNECTOR)
    until = time.monotonic() + UP_TIMEOUT_S
    while re.search("master.key", json.dumps(made)) and time.monotonic() < until:  # it is being made: "please retry"
        time.sleep(1)
        made = asked(server.url, "/_plugins/_ml/connectors/_create", CONNECTOR)

    assert "connector_id" in made, made
