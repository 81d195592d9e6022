"""The ProRank rescorer behind the service: a model of a few kilobytes, whose forward passes many clients share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from prorank_search.rescorers.prorank import ProRankRescorer
from prorank_search.serving.answers import Asked, answer
from prorank_search.types import ScoreRequest
from tests import tiny_model
from tests.serving.live import Served

QUERIES = ("how fast does a fox run", "the cold sea", "def read_file")
TEXTS = ("A fox runs 50 km/h over the fields.", "Whales swim in the cold sea.", "return path", "")


@pytest.fixture
def rescorer(tmp_path: Path) -> Iterator[ProRankRescorer]:
    rescorer = ProRankRescorer(tiny_model.load(tiny_model.write_contract(tiny_model.write_model(tmp_path / "tiny"))))
    yield rescorer
    rescorer.close()


def rerank(served: Served, query: str, **more: object) -> Any:  # noqa: ANN401 (JSON)
    response = served.http.post("/v1/rerank", json={"query": query, "documents": TEXTS} | more)
    assert response.status_code == 200, response.text
    return response.json()


def test_clients_that_share_passes_get_what_each_would_get_alone(
    serve: Callable[..., Served], rescorer: ProRankRescorer
) -> None:
    served = serve(rescorer)
    with ThreadPoolExecutor(8) as clients:
        bodies = list(clients.map(lambda query: rerank(served, query), QUERIES * 8))
    for query, body in zip(QUERIES * 8, bodies, strict=True):
        alone = answer(rescorer.score(ScoreRequest(query, TEXTS)), rescorer.info, rescorer.revision, Asked(()))
        scores = {row["index"]: row["prorank"]["score"] for row in body["results"]}
        assert scores == pytest.approx({row.index: row.score for row in alone.rows}, abs=1e-4)


def test_a_deadline_leaves_documents_unscored_and_the_next_request_is_whole(
    serve: Callable[..., Served], rescorer: ProRankRescorer
) -> None:
    served = serve(rescorer)
    late = rerank(served, QUERIES[0], prorank={"timeout_s": 1e-6})
    assert late["prorank"]["status"] == "partial"
    assert len(late["results"]) == len(TEXTS)
    assert rerank(served, QUERIES[0])["prorank"]["status"] == "ok"


def test_a_document_that_is_cut_is_marked(serve: Callable[..., Served], rescorer: ProRankRescorer) -> None:
    served = serve(rescorer)
    response = served.http.post("/v2/rerank", json={"query": "fox", "documents": ["fox", "fox " * 5000]})
    cut = {row["index"]: row["prorank"]["truncated"] for row in response.json()["results"]}
    assert cut == {0: False, 1: True}
