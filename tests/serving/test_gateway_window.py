"""The gateway where only the wider search that rescoring takes fails, and its client's own would not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from prorank_search.rescorers.overlap import OverlapRescorer
from tests.serving.gateway_asking import QUERY, RESCORED, TEXTS, ids, search, with_prorank
from tests.serving.live import Served
from tests.serving.stub_engine import StubEngine

Serve = Callable[..., Served]
Finds = Callable[[dict[str, Any], Mapping[str, list[str]]], dict[str, Any]]

SECOND_PAGE = {"from": 2, "size": 2}
REFUSED = {"error": {"type": "search_phase_execution_exception", "reason": "too many"}, "status": 400}


@pytest.fixture
def narrow(engine: StubEngine) -> StubEngine:
    """The engine, as one that answers for two hits at a time alone."""
    find = engine.search

    def search(body: dict[str, Any], query: Mapping[str, list[str]]) -> dict[str, Any]:
        if body.get("size", 10) > 2:
            raise ValueError("Result window is too large")
        return find(body, query)

    engine.search = search  # type: ignore[method-assign]
    return engine


@pytest.fixture
def large(engine: StubEngine) -> StubEngine:
    """The engine, whose answers with more than two hits are over 1 MB."""
    for hit in engine.hits:
        hit["_source"]["text"] += " " + "x" * 400_000
    return engine


def as_it_was_asked(served: Served) -> None:
    response = search(served, {**RESCORED, **SECOND_PAGE})
    assert ids(response) == list(TEXTS)[2:4]
    block = response.json()["prorank"]
    assert block["status"] == response.headers["x-prorank-status"] == "skipped"
    assert block["reason"].startswith("the search for the hits to rescore failed: the engine")


def test_a_window_that_the_engine_refuses_leaves_the_search_as_it_was_asked(served: Served, narrow: StubEngine) -> None:
    as_it_was_asked(served)
    assert narrow.asked[-1] == {**QUERY, **SECOND_PAGE}
    refused = search(served, {**with_prorank(on_failure="error"), **SECOND_PAGE})
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "parsing_exception")


def test_a_window_whose_answer_is_too_large_leaves_the_search_as_it_was_asked(serve: Serve, large: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=large.url, max_answer_mb=1)
    as_it_was_asked(served)
    refused = search(served, {**with_prorank(on_failure="error"), **SECOND_PAGE})
    assert (refused.status_code, refused.json()["error"]["type"]) == (502, "content_too_long_exception")


def test_an_answer_that_cannot_be_read_is_the_one_to_the_clients_own_search(served: Served, engine: StubEngine) -> None:
    engine.search = lambda body, _: f"YAML: {body}"  # type: ignore[method-assign,assignment,return-value]
    for more in ({}, {"on_failure": "error"}):
        response = search(served, {**with_prorank(**more), **SECOND_PAGE}, headers={"accept": "application/yaml"})
        assert response.json() == f"YAML: { {**QUERY, **SECOND_PAGE} }"
        assert response.headers["x-prorank-status"] == "skipped"


@pytest.fixture
def opened() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("is_slow", [False, True])
def test_texts_that_cannot_be_fetched_leave_the_engines_order(
    served: Served,
    engine: StubEngine,
    opened: threading.Event,
    is_slow: bool,  # noqa: FBT001
) -> None:
    find = engine.search

    def search_with_texts(body: dict[str, Any], query: Mapping[str, list[str]]) -> dict[str, Any]:
        if "ids" in body["query"]:
            if not is_slow:
                raise ValueError
            opened.wait(60)
        return find(body, query)

    engine.search = search_with_texts  # type: ignore[method-assign]
    response = search(served, {**with_prorank(timeout_s=1.0), "_source": False})
    assert ids(response) == list(TEXTS)
    block = response.json()["prorank"]
    assert (block["status"], response.headers["x-prorank-status"]) == ("degraded", "degraded")
    assert block["reason"].startswith("the texts of the hits could not be fetched")
    if not is_slow:
        refused = search(served, {**with_prorank(on_failure="error"), "_source": False})
        assert (refused.status_code, refused.json()["error"]["type"]) == (400, "parsing_exception")


def many(served: Served, *bodies: object) -> list[Any]:
    lines = "".join(f'{{"index": "books"}}\n{json.dumps(body)}\n' for body in bodies)
    response = served.http.post("/_msearch", content=lines, headers={"content-type": "application/x-ndjson"})
    assert response.status_code == 200, response.text
    answers: list[Any] = response.json()["responses"]
    return answers


def hits_and_status(answer: Any) -> tuple[list[str], str]:  # noqa: ANN401 (JSON)
    return [hit["_id"] for hit in answer["hits"]["hits"]], answer["prorank"]["status"]


def test_of_many_searches_those_whose_window_is_refused_are_answered_as_asked(
    served: Served, engine: StubEngine
) -> None:
    find = engine.search
    engine.search = lambda body, query: REFUSED if body["size"] > 4 else find(body, query)  # type: ignore[method-assign]
    first = {**RESCORED, "size": 2}
    answers = many(served, first, {**RESCORED, "from": 4, "size": 2}, {**QUERY, "size": 5})
    assert [hits_and_status(answer) for answer in answers[:2]] == [(["d", "b"], "ok"), (["e", "f"], "skipped")]
    assert answers[2] == REFUSED


def test_many_searches_whose_answer_is_too_large_are_answered_as_asked(serve: Serve, large: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=large.url, max_answer_mb=1)
    (answer,) = many(served, {**RESCORED, **SECOND_PAGE})
    assert hits_and_status(answer) == (list(TEXTS)[2:4], "skipped")


def test_many_answers_that_cannot_be_read_are_those_to_the_clients_own_searches(
    served: Served, engine: StubEngine
) -> None:
    engine.search = lambda body, _: f"YAML: {body}"  # type: ignore[method-assign,assignment,return-value]
    assert many(served, {**RESCORED, **SECOND_PAGE}) == [f"YAML: { {**QUERY, **SECOND_PAGE} }"]
