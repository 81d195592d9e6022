"""The search gateway over HTTP, in front of an engine that does as it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving.shelf import Source
from prorank_search.types import RescorerInfo, Scored, ScoreRequest
from tests.serving.gateway_asking import BEST_FIRST, QUERY, RESCORED, TEXTS, ids, search, with_prorank
from tests.serving.live import Served, serving, wait_until_ready
from tests.serving.stub_engine import StubEngine

Serve = Callable[..., Served]


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


@pytest.mark.parametrize("before", [0, 1])
def test_the_window_grows_with_the_index(served: Served, engine: StubEngine, before: int) -> None:
    hits = engine.hits[:]
    del engine.hits[before:]
    search(served, {**RESCORED, "size": 2})
    engine.hits[:] = hits
    response = search(served, {**RESCORED, "size": 2})
    assert (ids(response), response.json()["prorank"]["window_size"]) == (BEST_FIRST[:2], 4)


def test_a_model_that_the_first_page_loads_keeps_its_order(engine: StubEngine) -> None:
    others = {"other": Source(OverlapRescorer)}
    with serving(OverlapRescorer, others, url=engine.url, rescorer="overlap") as started:
        served = wait_until_ready(started)
        body = with_prorank(model="other", timeout_s=30.0)
        pages = [search(served, {**body, "from": first, "size": 2}) for first in (0, 2)]
    assert [ids(page) for page in pages] == [BEST_FIRST[:2], BEST_FIRST[2:4]]
    assert "order_recomputed" not in pages[1].json()["prorank"]["reason"]


def test_an_order_is_of_the_model_that_scored_it_though_another_took_its_place(engine: StubEngine) -> None:
    class Replaced:
        def __init__(self, name: str) -> None:
            self.revision, self.info = f"{name}-1", RescorerInfo(name)

        def score(self, request: ScoreRequest) -> list[Scored]:
            if self.info.model == "first":
                served.service._shelf.load("").result(30)  # noqa: SLF001 (as where the model's files change)
            return [Scored(float(len(text))) for text in request.texts]

    models = iter([Replaced("first"), Replaced("second")])
    with serving(lambda: next(models), url=engine.url) as started:
        served = wait_until_ready(started)
        blocks = [search(served, {**RESCORED, "from": first, "size": 2}).json()["prorank"] for first in (0, 2)]
    assert [(block["model"], block["model_revision"]) for block in blocks] == [
        ("first", "first-1"),
        ("second", "second-1"),
    ]
    assert blocks[1]["reason"].startswith("order_recomputed")


def test_who_is_asked_for_has_an_order_of_its_own(served: Served) -> None:
    for user in ("eve", "adam"):
        headers = {"authorization": "Basic eA==", "es-security-runas-user": user, "x-opaque-id": user}
        response = search(served, {**RESCORED, "from": 2}, headers=headers)
        assert "order_recomputed" in response.json()["prorank"]["reason"]


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


def test_headers_keep_their_bytes(served: Served, engine: StubEngine) -> None:
    engine.more_headers["warning"] = as_bytes = "狐".encode().decode("latin-1")
    response = search(served, headers=[(b"x-opaque-id", "狐".encode())])
    assert (ids(response), engine.headers["x-opaque-id"]) == (BEST_FIRST, as_bytes)
    assert (b"warning", "狐".encode()) in response.headers.raw


def test_a_service_account_is_for_those_who_bring_none(serve: Serve, engine: StubEngine) -> None:
    account = {"engine_username": "eve", "engine_password": "apple"}
    for gateway_account, own, seen in (
        ("caller", None, None),
        ("service", None, "Basic ZXZlOmFwcGxl"),
        ("service", "Basic eA==", "Basic eA=="),
    ):
        served = serve(OverlapRescorer(), url=engine.url, gateway_account=gateway_account, **account)
        user = {"es-security-runas-user": "adam"}
        search(served, headers=user if own is None else {"authorization": own, **user})
        assert engine.headers.get("authorization") == seen
        assert ("es-security-runas-user" in engine.headers) is (seen is None or own is not None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"rescore": {"prorank": {"fieldz": ["x"]}}},
            "[rescore.prorank] unknown field [fieldz], did you mean [fields]?",
        ),
        ({"rescore": {"window": 5, "prorank": {}}}, "[rescore] unknown field [window], did you mean [window_size]?"),
        ({"rescore": {"prorank": {"score_mode": "sum"}}}, "[rescore.prorank.score_mode]"),
        ({"rescore": {"prorank": {"model": "m" * 1001}}}, "[rescore.prorank.model]: string should have at most 1000"),
        ({"rescore": {"window_size": 0, "prorank": {}}}, "[rescore.window_size]"),
        ({"rescore": {"window_size": 5000, "prorank": {}}}, "[window_size] is 5000: at most 1000"),
        ({"rescore": [{"prorank": {}}, {"window_size": 5, "query": {}}]}, "put it last"),
        ({"rescore": {"prorank": {"query_text": "a", "query_text_path": "b"}}}, "leave out one"),
        ({"rescore": {"prorank": {"query_text_path": "query.nowhere"}}}, "leads to no text"),
        ({"rescore": {"prorank": {"query_text_path": ".".join("a" * 21)}}}, "a path has at most 20 steps"),
        ({"ext": {"rerank": {"query_context": {"query_text_path": "." * 500}}}}, "a path has at most 20 steps"),
        ({"rescore": {"prorank": {"fields": [".".join("a" * 21)]}}}, "a path has at most 20 steps"),
        ({"rescore": {"prorank": {"fields": ["a"] * 65}}}, "[rescore.prorank.fields]: list should have at most 64"),
        ({"rescore": {"prorank": {"template": "{a}" * 65}}}, "more than 64 fields"),
        ({"rescore": {"prorank": {"template": f"{{{'.'.join('a' * 21)}}}"}}}, "more than 20 steps"),
        (
            {"query": {"match": {str(at): str(at) for at in range(257)}}, "rescore": {"prorank": {}}},
            "give [query_text]",
        ),
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


@pytest.mark.parametrize("window_size", [4, "auto"])
def test_an_unknown_model_is_a_404_that_names_the_known_ones(served: Served, window_size: object) -> None:
    response = search(served, {**QUERY, "rescore": {"window_size": window_size, "prorank": {"model": "gpt"}}})
    assert response.status_code == 404
    assert "known are: overlap" in response.json()["error"]["reason"]
    assert served.http.get("/_prorank/gateway").json()["breakers"] == {}


def test_scores_below_what_is_asked_for_end_the_list(served: Served) -> None:
    body = with_prorank(min_score=0.4)
    assert ids(search(served, body)) == ["d", "b"]
    assert ids(search(served, {**body, "from": 1, "size": 1})) == ["b"]
    assert ids(search(served, {**body, "from": 4})) == []


class LeavesOut:
    """Scores texts of foxes, and leaves out the others, as the first part of a chain does."""

    revision, info = "leaves-out-1", RescorerInfo("leaves-out")

    def score(self, request: ScoreRequest) -> list[Scored]:
        return [
            Scored(float(len(text))) if "fox" in text else Scored(None, parts={"cheap": 0.0}, left_out=True)
            for text in request.texts
        ]


def test_what_a_chain_left_out_is_not_above_what_is_asked_for(serve: Serve, engine: StubEngine) -> None:
    served = serve(LeavesOut(), url=engine.url)
    assert ids(search(served, with_prorank(score_mode="replace", fields=["text"]))) == BEST_FIRST
    assert ids(search(served, with_prorank(score_mode="replace", fields=["text"], min_score=6.0))) == ["d"]


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


def test_half_a_character_in_a_document_is_no_failure(served: Served, engine: StubEngine) -> None:
    engine.hits[3]["_source"]["text"] = "a red fox \ud83d"
    response = search(served, with_prorank(passages=1))
    assert (ids(response), response.json()["prorank"]["status"]) == (BEST_FIRST, "ok")


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


def test_a_profile_whose_window_is_too_large_has_the_largest(serve: Serve, engine: StubEngine, tmp_path: Path) -> None:
    served = serve(OverlapRescorer(), url=engine.url, config=profile(tmp_path, "window_size = 50"), max_texts=4)
    response = search(served, QUERY)
    assert (ids(response), response.json()["prorank"]["window_size"]) == (BEST_FIRST, 4)
    assert search(served, {**QUERY, "rescore": {"window_size": 50, "prorank": {}}}).status_code == 400


def test_a_shadow_changes_nothing_and_counts_how_hits_would_move(
    serve: Serve, engine: StubEngine, tmp_path: Path
) -> None:
    shadow = profile(tmp_path, 'window_size = 4\ngateway = { mode = "shadow" }')
    served = serve(OverlapRescorer(), url=engine.url, config=shadow)
    response = search(served, QUERY)
    assert response.content == httpx.post(f"{engine.url}/books/_search", json=QUERY, timeout=60).content
    assert response.headers["x-prorank-status"] == "shadow"
    while 'prorank_gateway_searches_total{mode="shadow",status="ok"} 1.0' not in served.http.get("/metrics").text:
        pass
    assert 'prorank_gateway_shadow_hits_total{movement="up"} 1.0' in served.http.get("/metrics").text


@pytest.mark.parametrize("many", [False, True])
def test_a_search_that_the_engine_refuses_is_not_sent_again_for_its_shadow(
    serve: Serve, engine: StubEngine, tmp_path: Path, *, many: bool
) -> None:
    shadow = profile(tmp_path, 'window_size = 4\ngateway = { mode = "shadow" }')
    served = serve(OverlapRescorer(), url=engine.url, config=shadow)
    path, content = ("_msearch", f"{{}}\n{json.dumps(QUERY)}\n") if many else ("_search", json.dumps(QUERY))
    for status in (400, 200):
        engine.broken = status
        headers = {"content-type": "application/json"}
        assert served.http.post(f"/books/{path}", content=content, headers=headers).status_code == status
    while 'prorank_gateway_searches_total{mode="shadow",status="ok"} 1.0' not in served.http.get("/metrics").text:
        pass
    assert len(engine.lines) == 3
    assert 'status="degraded"' not in served.http.get("/metrics").text


def test_a_query_outside_the_percentage_keeps_its_order(serve: Serve, engine: StubEngine, tmp_path: Path) -> None:
    none = profile(tmp_path, "gateway = { percent = 0 }")
    response = search(serve(OverlapRescorer(), url=engine.url, config=none), QUERY)
    assert ids(response) == list(TEXTS)
    assert "outside the 0 % of queries that are rescored" in response.json()["prorank"]["reason"]
