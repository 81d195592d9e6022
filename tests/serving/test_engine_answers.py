"""Answers of an engine that are not whole, or too long."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from prorank_search.rescorers.overlap import OverlapRescorer
from tests.serving.gateway_asking import BEST_FIRST, RESCORED, TEXTS, ids, search, with_prorank
from tests.serving.live import Served
from tests.serving.stub_engine import StubEngine

NOT_WHOLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"timed_out": True}, "the engine's time was over"),
    ({"_shards": {"total": 5, "successful": 3, "failed": 2}}, "2 of its shards failed"),
)


@pytest.mark.parametrize(("more", "told"), NOT_WHOLE)
def test_an_answer_that_is_not_whole_is_told_and_its_order_is_not_kept(
    served: Served, engine: StubEngine, more: dict[str, Any], told: str
) -> None:
    engine.more, hits = more, engine.hits[:]
    del engine.hits[3:]
    first = search(served, {**RESCORED, "size": 2})
    assert (first.json()["prorank"]["status"], first.headers["x-prorank-status"]) == ("partial", "partial")
    assert f"first_stage_partial: {told}" in first.json()["prorank"]["reason"]
    assert served.http.get("/_prorank/gateway").json()["orders"] == 0
    engine.more, engine.hits[:] = {}, hits
    second = search(served, {**RESCORED, "from": 2, "size": 2})
    assert (ids(second), second.json()["prorank"]["status"]) == (BEST_FIRST[2:4], "ok")
    assert "order_recomputed" in second.json()["prorank"]["reason"]


def test_an_order_that_is_kept_outlives_a_page_that_is_not_whole(served: Served, engine: StubEngine) -> None:
    search(served, {**RESCORED, "size": 2})
    engine.more, hits = {"timed_out": True}, engine.hits[:]
    del engine.hits[2:]
    lame = search(served, {**RESCORED, "from": 2, "size": 2}).json()["prorank"]
    assert lame["status"] == "partial"
    engine.more, engine.hits[:] = {}, hits
    third = search(served, {**RESCORED, "from": 2, "size": 2})
    assert (ids(third), third.json()["prorank"]["status"]) == (BEST_FIRST[2:4], "ok")
    assert "order_recomputed" not in third.json()["prorank"]["reason"]


@pytest.mark.parametrize("asked", [RESCORED, {"query": RESCORED["query"]}], ids=["rescored", "passed"])
def test_an_answer_that_is_too_long_is_a_502_that_says_what_to_do(
    serve: Callable[..., Served], engine: StubEngine, asked: dict[str, Any]
) -> None:
    served = serve(OverlapRescorer(), url=engine.url, max_answer_mb=1)
    engine.more = {"padding": "secret" * 200_000}
    refused = search(served, asked)
    assert (refused.status_code, refused.json()["error"]["type"]) == (502, "content_too_long_exception")
    assert "max_answer_mb" in refused.json()["error"]["reason"]
    assert "secret" not in refused.text
    engine.more = {"padding": "secret" * 150_000}
    assert search(served, asked).status_code == 200


def test_texts_that_are_too_long_together_are_told_too(serve: Callable[..., Served], engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, max_answer_mb=1)
    for hit in engine.hits:
        hit["_source"]["text"] = "fox " * 100_000
    response = search(served, {**RESCORED, "_source": False})
    assert (ids(response), response.json()["prorank"]["status"]) == (list(TEXTS), "degraded")
    refused = search(served, {**with_prorank(on_failure="error"), "_source": False})
    assert (refused.status_code, refused.json()["error"]["type"]) == (502, "content_too_long_exception")


def test_of_many_searches_only_the_one_that_is_not_whole_is_told_so(served: Served, engine: StubEngine) -> None:
    engine.more = {"_shards": {"failed": 1}}
    lines = f'{{"index": "books"}}\n{json.dumps(RESCORED)}\n'
    headers = {"content-type": "application/x-ndjson"}
    (answer,) = served.http.post("/_msearch", content=lines, headers=headers).json()["responses"]
    assert answer["prorank"]["status"] == "partial"
    engine.more = {"_shards": {"failed": 0}, "timed_out": False}
    (answer,) = served.http.post("/_msearch", content=lines, headers=headers).json()["responses"]
    assert answer["prorank"]["status"] == "ok"
    assert "first_stage_partial" not in answer["prorank"]["reason"]
