from __future__ import annotations

from prorank_search.local.node import answer
from tests.engines.servers import Server


def test_the_server_answers_as_the_opensearch_it_is(opensearch: Server) -> None:
    found = answer(int(opensearch.url.rpartition(":")[2]))

    assert found is not None
    assert found["version"]["distribution"] == "opensearch"  # type: ignore[index]
    assert found["version"]["number"] == opensearch.version  # type: ignore[index]
