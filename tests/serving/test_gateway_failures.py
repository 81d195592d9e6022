"""The search gateway where something fails, or is switched off."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from prorank_search.errors import RescorerError
from prorank_search.rescorers import from_function
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.rescorers.remote import open_rescorer as open_remote
from prorank_search.serving.gateway.breaker import FAILURES
from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest
from tests.serving.gateway_asking import BEST_FIRST, QUERY, RESCORED, TEXTS, ids, search, with_prorank
from tests.serving.live import Gate, Served, hang_up, serving
from tests.serving.slow_process import slow_process
from tests.serving.stub_engine import StubEngine

Serve = Callable[..., Served]


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


class LateForSome:
    """Scores at once, but for queries about hens: as if its deadline came first."""

    revision, info = "late-1", RescorerInfo("late")

    def __init__(self) -> None:
        self.entered, self.over = threading.Semaphore(0), threading.Event()

    def score(self, request: ScoreRequest) -> list[Scored]:
        if "hen" not in request.query:
            return [Scored(1.0)] * len(request.texts)
        self.entered.release()
        self.over.wait(30)
        return [Scored(None)] * len(request.texts)


@pytest.mark.parametrize(("scored", "breaker"), [("_search", "closed"), ("rerank", "closed"), ("", "open")])
def test_searches_that_are_late_open_the_breaker_only_where_no_other_is_scored_meanwhile(
    serve: Serve, engine: StubEngine, scored: str, breaker: str
) -> None:
    rescorer = LateForSome()
    served = serve(rescorer, url=engine.url, timeout_s="none")

    def status(text: str) -> str:
        query = {"query": {"match": {"text": text}}, "rescore": {"prorank": {}}}
        state: str = search(served, query).json()["prorank"]["status"]
        return state

    with ThreadPoolExecutor(FAILURES) as clients:
        late = [clients.submit(status, f"hen {number}") for number in range(FAILURES)]
        for _ in late:
            assert rescorer.entered.acquire(timeout=30)
        if scored == "_search":
            assert status("fox") == "ok"
        elif scored == "rerank":
            assert served.http.post("/v1/rerank", json={"query": "fox", "documents": ["a"]}).status_code == 200
        rescorer.over.set()
        assert {each.result() for each in late} == {"degraded"}
    assert served.http.get("/_prorank/gateway").json()["breakers"] == {"default": breaker}


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


def test_the_first_page_after_a_failure_tries_again(serve: Serve, engine: StubEngine) -> None:
    failures = iter([RescorerError("out of memory")])

    def fail_once(query: str, texts: Sequence[str]) -> list[float]:
        for failure in failures:
            raise failure
        return [float(query in text) for text in texts]

    served = serve(from_function(fail_once), url=engine.url)
    assert [search(served).json()["prorank"]["status"] for _ in range(2)] == ["degraded", "ok"]


def test_who_asks_the_same_at_once_waits_for_one_scoring_and_for_no_other_engine_call(
    serve: Serve, engine: StubEngine
) -> None:
    gate = Gate()
    served = serve(gate, url=engine.url)
    engine.held.clear()
    with ThreadPoolExecutor(4) as clients:
        answers = [clients.submit(search, served) for _ in range(4)]
        while len(engine.asked) < 4:
            assert not any(answer.done() for answer in answers)
        engine.held.set()
        assert gate.entered.acquire(timeout=30)
        gate.opened.set()
        assert {ids(answer.result())[0] for answer in answers} == {"d"}
    assert not gate.entered.acquire(blocking=False)


def test_a_client_that_hangs_up_ends_the_rescoring(serve: Serve, engine: StubEngine) -> None:
    gate = Gate()
    served = serve(gate, url=engine.url)
    hang_up(served, "/books/_search", RESCORED, gate)
    assert gate.cancelled.wait(30)
    gate.opened.set()
    assert ids(search(served))[0] == "d"


def test_an_engine_that_is_away_is_a_502_and_one_that_is_slow_a_504(serve: Serve, engine: StubEngine) -> None:
    patient, impatient = (serve(OverlapRescorer(), url=engine.url, engine_timeout_s=wait_s) for wait_s in (30, 0.3))
    engine.broken = 0
    lost = search(patient)
    assert (lost.status_code, lost.json()["error"]["type"]) == (502, "connect_exception")
    assert engine.url not in lost.text
    engine.broken = None
    engine.held.clear()
    slow = search(impatient)
    assert (slow.status_code, slow.json()["error"]["type"]) == (504, "timeout_exception")
    engine.held.set()
    assert ids(search(patient)) == BEST_FIRST
    while (answer := search(impatient)).status_code == slow.status_code:
        continue
    assert ids(answer) == BEST_FIRST


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
    members = b"".join(
        gzip.compress(part) for part in (json.dumps(RESCORED).encode()[:9], b"", json.dumps(RESCORED).encode()[9:])
    )
    assert ids(served.http.post("/books/_search", content=members + b"\0\0", headers=headers)) == BEST_FIRST
    bomb = gzip.compress(b" " * (2 << 20))
    for body in (bomb, gzip.compress(b"") + bomb, gzip.compress(b" " * 1_000_000) * 2):
        assert served.http.post("/books/_search", content=body, headers=headers).status_code == 413
    assert served.http.post("/books/_search", content=bomb, headers=headers).status_code == 413
    assert served.http.post("/books/_search", content=b" " * (2 << 20)).status_code == 413


def test_many_searches_have_each_their_own_answer(served: Served, engine: StubEngine) -> None:
    bodies = [QUERY, RESCORED, with_prorank(fieldz=1), {**RESCORED, "from": 3, "size": 2}]
    lines = "".join(f'{{"index": "books"}}\n{json.dumps(body)}\n' for body in bodies)
    headers = {"content-type": "application/x-ndjson"}
    lines += '{"index": null}\n' + json.dumps({**RESCORED, "_source": False}) + "\n"
    answer = served.http.post("/books/_msearch", content=lines, headers=headers).json()["responses"]
    assert [hit["_id"] for hit in answer[0]["hits"]["hits"]] == list(TEXTS)
    assert [hit["_id"] for hit in answer[1]["hits"]["hits"]] == BEST_FIRST
    assert answer[2]["status"] == 400
    assert [hit["_id"] for hit in answer[3]["hits"]["hits"]] == BEST_FIRST[3:5]
    assert engine.lines[-1].startswith("POST /books/_search?")


def test_many_searches_whose_answer_is_cut_are_not_rescored(served: Served, engine: StubEngine) -> None:
    lines, headers = '{{"index": "books"}}\n{}\n', {"content-type": "application/x-ndjson"}
    path = "/_msearch?filter_path=responses.hits.hits._id"
    refused = served.http.post(path, content=lines.format(json.dumps(RESCORED)), headers=headers)
    assert (refused.status_code, "filter_path" in refused.text, engine.asked) == (400, True, [])
    assert served.http.post(path, content=lines.format(json.dumps(QUERY)), headers=headers).status_code == 200


def test_a_scroll_is_not_sent_twice(served: Served, engine: StubEngine) -> None:
    engine.broken = 0
    assert served.http.post("/_search/scroll", json={"scroll_id": "x"}).status_code == 502
    assert engine.lines == ["POST /_search/scroll"]


@pytest.mark.parametrize("window_size", [4, "auto"])
def test_requests_while_the_model_loads_keep_the_engines_order(engine: StubEngine, window_size: object) -> None:
    may_load = threading.Event()

    def load() -> OverlapRescorer:
        may_load.wait(30)
        return OverlapRescorer()

    with serving(load, url=engine.url) as served:
        response = search(served, {**QUERY, "rescore": {"window_size": window_size, "prorank": {}}})
        assert (ids(response), response.json()["prorank"]["status"]) == (list(TEXTS), "degraded")
        assert "loading" in response.json()["prorank"]["reason"]
        may_load.set()


def test_a_rerank_service_that_is_killed_leaves_the_engines_order_and_its_successor_rescores(
    serve: Serve, engine: StubEngine
) -> None:
    with (
        slow_process() as slow,
        closing(open_remote(Settings(remote_url=slow.url))) as remote,
        ThreadPoolExecutor() as clients,
    ):
        served = serve(remote, url=engine.url, timeout_s=120)
        begun = clients.submit(search, served)
        slow.wait_until_it_scores()
        slow.process.kill()
        slow.process.wait()
        assert (ids(begun.result()), begun.result().json()["prorank"]["status"]) == (list(TEXTS), "degraded")
        with slow_process(slow.port) as next_one:
            next_one.go_on()
            assert search(served).json()["prorank"]["status"] == "ok"
