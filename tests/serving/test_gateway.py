"""The search gateway over HTTP, in front of an engine that does as it is told."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from prorank_search.errors import RescorerError
from prorank_search.rescorers import from_function
from prorank_search.rescorers.overlap import OverlapRescorer
from tests.serving.live import Gate, Served
from tests.serving.stub_engine import StubEngine, stub_engine

TEXTS = {
    "a": "a hen",
    "b": "a fox",
    "c": "an owl",
    "d": "a red fox",
    "e": "a whale",
    "f": "secret words",
}
QUERY = {"query": {"match": {"text": "red fox"}}}
RESCORED: dict[str, Any] = {**QUERY, "rescore": {"window_size": 4, "prorank": {}}}
BEST_FIRST = ["d", "b", "a", "c", "e", "f"]

Serve = Callable[..., Served]


@pytest.fixture
def engine() -> Iterator[StubEngine]:
    with stub_engine(TEXTS) as running:
        yield running


@pytest.fixture
def served(serve: Serve, engine: StubEngine) -> Served:
    return serve(OverlapRescorer(), url=engine.url)


def search(served: Served, body: object = None, path: str = "/books/_search", **more: Any) -> httpx.Response:  # noqa: ANN401
    return served.http.post(path, json=RESCORED if body is None else body, **more)


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [hit["_id"] for hit in response.json()["hits"]["hits"]]


def with_prorank(**block: object) -> dict[str, Any]:
    return {**QUERY, "rescore": {"window_size": 4, "prorank": block}}


def profile(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prorank.toml"
    path.write_text(f"[profiles.books]\n{text}\n", encoding="utf-8")
    return path


def test_the_window_is_reordered_and_the_tail_follows(served: Served, engine: StubEngine) -> None:
    response = search(served)
    assert ids(response) == BEST_FIRST
    (asked,) = engine.asked
    assert (asked["from"], asked["size"], "rescore" in asked) == (0, 10, False)
    body = response.json()
    scores = [hit["_score"] for hit in body["hits"]["hits"]]
    assert scores == sorted(set(scores), reverse=True)
    assert body["hits"]["max_score"] == scores[0]
    assert response.headers["x-prorank-status"] == body["prorank"]["status"] == "ok"
    assert set(body["prorank"]["took_ms"]) == {"first_stage", "rescore", "total"}
    first = body["hits"]["hits"][0]["prorank"]
    assert (first["rank"], first["first_stage_rank"], first["first_stage_score"]) == (1, 4, 6.5)
    assert '"aggregations": 1.5' in response.text
    assert response.headers["x-elastic-product"] == "Elasticsearch"


def test_pages_are_cut_from_one_order(served: Served, engine: StubEngine) -> None:
    pages = [ids(search(served, {**RESCORED, "from": start, "size": 2})) for start in (0, 2, 4)]
    assert pages == [BEST_FIRST[:2], BEST_FIRST[2:4], BEST_FIRST[4:]]
    assert [(asked["from"], asked["size"]) for asked in engine.asked] == [(0, 4), (0, 4), (4, 2)]
    assert ids(search(served, RESCORED, "/books/_search?from=1&size=2")) == BEST_FIRST[1:3]


def test_an_order_is_made_anew_where_the_index_changed(served: Served, engine: StubEngine) -> None:
    search(served, {**RESCORED, "size": 2})
    engine.hits.pop(0)
    response = search(served, {**RESCORED, "from": 2, "size": 2})
    assert ids(response) == ["c", "e"]
    assert response.json()["prorank"]["reason"].startswith("order_recomputed")


def test_another_caller_has_an_order_of_its_own(served: Served) -> None:
    for caller in ("Basic eA==", "Basic eQ=="):
        response = search(served, {**RESCORED, "from": 2}, headers={"authorization": caller})
        assert "order_recomputed" in response.json()["prorank"]["reason"]


def test_headers_go_to_the_engine_but_for_ours_and_the_connections(served: Served, engine: StubEngine) -> None:
    sent = {
        "authorization": "Basic eA==",
        "x-prorank-key": "hush",
        "x-opaque-id": "7",
        "connection": "x-hop",
        "x-hop": "1",
    }
    search(served, headers=sent)
    assert (engine.headers["authorization"], engine.headers["x-opaque-id"]) == ("Basic eA==", "7")
    assert not {"x-prorank-key", "x-hop"} & set(engine.headers)


def test_a_service_account_is_for_those_who_bring_none(serve: Serve, engine: StubEngine) -> None:
    account = {"engine_username": "eve", "engine_password": "apple"}
    for gateway_account, own, seen in (
        ("caller", None, None),
        ("service", None, "Basic ZXZlOmFwcGxl"),
        ("service", "Basic eA==", "Basic eA=="),
    ):
        served = serve(OverlapRescorer(), url=engine.url, gateway_account=gateway_account, **account)
        search(served, headers={} if own is None else {"authorization": own})
        assert engine.headers.get("authorization") == seen


def test_what_passes_is_the_engines_byte_for_byte(served: Served, engine: StubEngine) -> None:
    path = "/books/_doc/a%2Fb%20c?routing=x&pretty"
    engine.answers["/books/_doc/a%2Fb%20c"] = b'{ "odd":  1.50e0 }'
    assert served.http.get(path).content == b'{ "odd":  1.50e0 }'
    assert engine.lines == [f"GET {path}"]
    assert served.http.head("/books").status_code == 200
    assert search(served, QUERY).content == httpx.post(f"{engine.url}/books/_search", json=QUERY).content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/books/_doc"),
        ("POST", "/_bulk"),
        ("DELETE", "/books"),
        ("GET", "/_refresh"),
        ("POST", "/books/_search/../_doc"),
        ("POST", "/books/%2e%2e/_bulk"),
        ("POST", "//_bulk"),
        ("GET", "/_nodes/hot_threads/x/y"),
        ("POST", "/books%2F_bulk"),
    ],
)
def test_what_is_no_read_does_not_reach_the_engine(served: Served, engine: StubEngine, method: str, path: str) -> None:
    url = httpx.URL(served.url).copy_with(raw_path=path.encode())
    response = served.http.send(httpx.Request(method, url, headers={"content-type": "application/json"}, content=b"{}"))
    assert response.status_code in (400, 403, 404)
    assert engine.lines == []


def test_writes_pass_where_the_setting_says_so(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, gateway_writes=True)
    assert served.http.put("/books/_doc/1", json={}).status_code == 200
    assert engine.lines == ["PUT /books/_doc/1"]


def test_a_prefix_moves_the_gateway(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, gateway_prefix="/engine")
    assert ids(search(served, path="/engine/books/_search")) == BEST_FIRST
    assert search(served).status_code == 404
    assert served.http.get("/engine").status_code == 200


def test_reserved_paths_never_reach_the_engine(served: Served, engine: StubEngine) -> None:
    for path in ("/v1/_search", "/rerank/_search", "/_prorank/other", "/metrics/_search"):
        assert search(served, path=path).status_code == 404
    assert served.http.get("/v2/rerank").status_code == 405
    assert engine.lines == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"rescore": {"prorank": {"fieldz": ["x"]}}},
            "[rescore.prorank] unknown field [fieldz], did you mean [fields]?",
        ),
        ({"rescore": {"window": 5, "prorank": {}}}, "[rescore] unknown field [window], did you mean [window_size]?"),
        ({"rescore": {"prorank": {"score_mode": "sum"}}}, "[rescore.prorank.score_mode]"),
        ({"rescore": {"window_size": 0, "prorank": {}}}, "[rescore.window_size]"),
        ({"rescore": {"window_size": 5000, "prorank": {}}}, "[window_size] is 5000: at most 1000"),
        ({"rescore": [{"prorank": {}}, {"window_size": 5, "query": {}}]}, "put it last"),
        ({"rescore": {"prorank": {"query_text": "a", "query_text_path": "b"}}}, "leave out one"),
        ({"rescore": {"prorank": {"query_text_path": "query.nowhere"}}}, "leads to no text"),
        ({"rescore": {"prorank": {"template": "{title"}}}, "[template]"),
        ({"rescore": {"prorank": {"score_mode": "multiply", "normalize": "zscore"}}}, "[rescore.prorank]"),
        ({"rescore": {"prorank": {"min_probability": 0.5}}}, "no calibration"),
        ({"rescore": {"prorank": {"missing": "error", "fields": ["nowhere"]}}}, "[missing] is [error]"),
        ({"rescore": {"prorank": {}}, "search_after": [1]}, "[search_after]"),
        ({"rescore": {"prorank": {}}, "sort": "year"}, "Cannot use [sort] option in conjunction with [rescore]."),
        ({"ext": {"rerank": {"query_context": {"query": "x"}}}}, "[ext.rerank.query_context] unknown field [query]"),
    ],
)
def test_what_is_not_understood_is_refused_in_the_engines_shape(
    served: Served, body: dict[str, Any], told: str
) -> None:
    response = search(served, {**QUERY, **body})
    assert response.status_code == 400
    fault = response.json()
    assert told in fault["error"]["reason"]
    assert fault["error"]["root_cause"][0]["reason"] == fault["error"]["reason"]
    assert fault["status"] == 400


def test_an_unknown_model_is_a_404_that_names_the_known_ones(served: Served) -> None:
    response = search(served, with_prorank(model="gpt"))
    assert response.status_code == 404
    assert "known are: overlap" in response.json()["error"]["reason"]


def test_scores_below_what_is_asked_for_end_the_list(served: Served) -> None:
    body = with_prorank(min_score=0.4)
    assert ids(search(served, body)) == ["d", "b"]
    assert ids(search(served, {**body, "from": 1, "size": 1})) == ["b"]
    assert ids(search(served, {**body, "from": 4})) == []


def test_hits_without_text_are_told(served: Served, engine: StubEngine) -> None:
    engine.hits[1]["_source"] = {}
    response = search(served, with_prorank(missing="skip"))
    assert ids(response)[:4] == ["d", "a", "c", "b"]
    assert "1 of 4 hits have no text" in response.json()["prorank"]["reason"]
    response = search(served, with_prorank(fields=["nowhere"], missing="skip"))
    assert (ids(response), response.json()["prorank"]["status"]) == (list(TEXTS), "skipped")


def test_texts_are_fetched_apart_where_the_answer_has_none(served: Served, engine: StubEngine) -> None:
    response = search(served, {**RESCORED, "_source": False})
    assert ids(response) == BEST_FIRST
    assert "_source" not in response.json()["hits"]["hits"][0]
    assert engine.asked[1]["_source"] == ["title", "text"]


def test_passages_are_scored_and_the_best_is_shown(served: Served, engine: StubEngine) -> None:
    engine.hits[2]["_source"] = {"text": "An owl. " * 200 + "\n\nA red fox sleeps."}
    response = search(served, with_prorank(fields=["text"], passages=5))
    assert ids(response)[:2] == ["c", "d"]
    assert response.json()["hits"]["hits"][0]["prorank"]["passage"].endswith("A red fox sleeps.")


def test_opensearchs_own_way_to_name_the_query_is_understood(served: Served, engine: StubEngine) -> None:
    body = {"query": {"match_all": {}}, "ext": {"rerank": {"query_context": {"query_text": "red fox"}}, "x": {}}}
    assert ids(search(served, body)) == BEST_FIRST
    assert engine.asked[0]["ext"] == {"x": {}}
    piped = search(served, body, "/books/_search?search_pipeline=own")
    assert ids(piped) == list(TEXTS)


def test_the_engines_own_stages_before_ours_stay(served: Served, engine: StubEngine) -> None:
    own = {"window_size": 5, "query": {"rescore_query": {"match_all": {}}}}
    assert ids(search(served, {**QUERY, "rescore": [own, {"window_size": 4, "prorank": {}}]})) == BEST_FIRST
    assert engine.asked[0]["rescore"] == [own]


def test_a_profile_rescores_what_unchanged_clients_ask(serve: Serve, engine: StubEngine, tmp_path: Path) -> None:
    served = serve(OverlapRescorer(), url=engine.url, config=profile(tmp_path, "window_size = 4"))
    assert ids(search(served, QUERY)) == BEST_FIRST
    for body, reason in (
        ({**QUERY, "sort": "year"}, "Cannot use [sort]"),
        ({**QUERY, "size": 0}, "no hits were asked for"),
        ({"query": {"match_all": {}}}, "no text"),
    ):
        response = search(served, body)
        assert response.headers["x-prorank-status"] == response.json()["prorank"]["status"] == "skipped"
        assert reason in response.json()["prorank"]["reason"]
    assert "prorank" not in search(served, QUERY, "/others/_search").json()


def test_a_shadow_changes_nothing_and_counts_how_hits_would_move(
    serve: Serve, engine: StubEngine, tmp_path: Path
) -> None:
    shadow = profile(tmp_path, 'window_size = 4\ngateway = { mode = "shadow" }')
    served = serve(OverlapRescorer(), url=engine.url, config=shadow)
    response = search(served, QUERY)
    assert response.content == httpx.post(f"{engine.url}/books/_search", json=QUERY).content
    assert response.headers["x-prorank-status"] == "shadow"
    while 'prorank_gateway_searches_total{mode="shadow",status="ok"} 1.0' not in served.http.get("/metrics").text:
        pass
    assert 'prorank_gateway_shadow_hits_total{movement="up"} 1.0' in served.http.get("/metrics").text


def test_a_query_outside_the_percentage_keeps_its_order(serve: Serve, engine: StubEngine, tmp_path: Path) -> None:
    none = profile(tmp_path, "gateway = { percent = 0 }")
    response = search(serve(OverlapRescorer(), url=engine.url, config=none), QUERY)
    assert ids(response) == list(TEXTS)
    assert "not among the 0 %" in response.json()["prorank"]["reason"]


def test_the_kill_switch_works_without_a_restart_and_is_seen(served: Served) -> None:
    told = served.http.put("/_prorank/gateway", json={"rescoring": False})
    assert told.json()["rescoring"] is False
    response = search(served)
    assert (ids(response), response.json()["prorank"]["status"]) == (list(TEXTS), "skipped")
    assert "prorank_gateway_rescoring 0.0" in served.http.get("/metrics").text
    served.http.put("/_prorank/gateway", json={"rescoring": True})
    assert ids(search(served)) == BEST_FIRST
    assert served.http.put("/_prorank/gateway", json={"rescoring": "no"}).status_code == 400


def test_the_kill_switch_can_be_a_setting(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, gateway_rescoring=False)
    assert ids(search(served)) == list(TEXTS)


def test_repeated_failures_open_the_breaker_and_nothing_of_a_text_is_told(serve: Serve, engine: StubEngine) -> None:
    calls = []

    def fail(query: str, texts: object) -> list[float]:
        calls.append(query)
        raise RescorerError(f"out of memory on {texts!r}")

    served = serve(from_function(fail), url=engine.url)
    for number in range(7):
        response = search(served, {"query": {"match": {"text": f"fox {number}"}}, "rescore": {"prorank": {}}})
        assert ids(response) == list(TEXTS)
        block = response.json()["prorank"]
        assert block["status"] == "degraded"
        assert "secret" not in block["reason"]
    assert len(calls) == 5
    assert block["reason"].startswith("circuit_open")
    assert served.http.get("/_prorank/gateway").json()["breakers"] == {"default": "open"}
    assert "prorank_gateway_breakers_open 1.0" in served.http.get("/metrics").text
    refused = search(served, with_prorank(on_failure="error"))
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rejected_execution_exception")


def test_a_failure_is_an_error_where_that_is_asked_for(serve: Serve, engine: StubEngine) -> None:
    def fail(query: str, texts: object) -> list[float]:
        raise ValueError(f"{query} {texts}")

    served = serve(from_function(fail), url=engine.url)
    response = search(served, with_prorank(on_failure="error"))
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "fox" not in response.text


def test_a_deadline_keeps_what_was_scored(serve: Serve, engine: StubEngine) -> None:
    served = serve(Gate(), url=engine.url)
    response = search(served, with_prorank(timeout_s=0.001))
    assert (ids(response), response.json()["prorank"]["status"]) == (list(TEXTS), "degraded")


def test_a_client_that_hangs_up_ends_the_rescoring(serve: Serve, engine: StubEngine) -> None:
    gate = Gate()
    served = serve(gate, url=engine.url)
    with httpx.Client(base_url=served.url) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post("/books/_search", json=RESCORED, timeout=httpx.Timeout(30, read=0.5))
    assert gate.cancelled.wait(30)
    gate.opened.set()
    assert ids(search(served))[0] == "d"


def test_an_engine_that_is_away_is_a_502_and_one_that_is_slow_a_504(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, engine_timeout_s=0.3)
    engine.broken = 0
    lost = search(served)
    assert (lost.status_code, lost.json()["error"]["type"]) == (502, "connect_exception")
    assert engine.url not in lost.text
    engine.broken = None
    engine.held.clear()
    slow = search(served)
    assert (slow.status_code, slow.json()["error"]["type"]) == (504, "timeout_exception")
    engine.held.set()
    assert ids(search(served)) == BEST_FIRST


def test_another_node_answers_where_one_is_away(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=f"http://127.0.0.1:1,{engine.url}")
    assert [ids(search(served)) for _ in range(3)] == [BEST_FIRST] * 3


def test_the_engines_faults_pass_untouched(served: Served, engine: StubEngine) -> None:
    engine.broken = 429
    response = search(served)
    assert response.status_code == 429
    assert response.json()["took"] == 1


def test_zipped_bodies_are_read_and_bombs_are_not(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, max_body_mb=1)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    zipped = gzip.compress(json.dumps(RESCORED).encode())
    assert ids(served.http.post("/books/_search", content=zipped, headers=headers)) == BEST_FIRST
    bomb = gzip.compress(b" " * (2 << 20))
    assert served.http.post("/books/_search", content=bomb, headers=headers).status_code == 413
    assert served.http.post("/books/_search", content=b" " * (2 << 20)).status_code == 413


def test_many_searches_have_each_their_own_answer(served: Served) -> None:
    bodies = [QUERY, RESCORED, with_prorank(fieldz=1), {**RESCORED, "from": 3, "size": 2}]
    lines = "".join(f'{{"index": "books"}}\n{json.dumps(body)}\n' for body in bodies)
    headers = {"content-type": "application/x-ndjson"}
    answer = served.http.post("/_msearch", content=lines, headers=headers).json()["responses"]
    assert [hit["_id"] for hit in answer[0]["hits"]["hits"]] == list(TEXTS)
    assert [hit["_id"] for hit in answer[1]["hits"]["hits"]] == BEST_FIRST
    assert answer[2]["status"] == 400
    assert [hit["_id"] for hit in answer[3]["hits"]["hits"]] == BEST_FIRST[3:5]


def test_requests_while_the_model_loads_keep_the_engines_order(engine: StubEngine) -> None:
    from tests.serving.live import serving

    def load() -> OverlapRescorer:
        time.sleep(1)
        return OverlapRescorer()

    with serving(load, url=engine.url) as served:
        response = search(served)
        assert (ids(response), response.json()["prorank"]["status"]) == (list(TEXTS), "degraded")
        assert "loading" in response.json()["prorank"]["reason"]
