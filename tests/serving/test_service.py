from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from prorank_search.errors import ConfigError, MissingModelError, OverloadedError, RescorerError
from prorank_search.protocols import Rescorer
from prorank_search.rescorers import from_function
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving.admission import Admission
from prorank_search.serving.faults import Fault
from prorank_search.serving.server import serve as run
from prorank_search.settings import Settings
from prorank_search.types import Scored, ScoreRequest
from tests.serving.live import Gate, Served, hang_up, serving, wait_until_ready
from tests.serving.slow_process import slow_process

ASKED = {"query": "fox", "documents": ["a fox", "a hen"]}

Serve = Callable[..., Served]


def rerank(served: Served, **more: object) -> httpx.Response:
    return served.http.post("/v2/rerank", json=ASKED | more)


def test_health_answers_while_the_model_loads_and_requests_are_told_to_wait() -> None:
    may_load = threading.Event()

    def load() -> Rescorer:
        may_load.wait()
        return OverlapRescorer()

    with serving(load) as served:
        assert served.http.get("/health").json()["state"] == "loading"
        assert served.http.get("/ready").status_code == 503
        for path in ("/v1/models", "/info"):
            assert served.http.get(path).status_code == 503
        response = rerank(served)
        assert (response.status_code, response.headers["retry-after"]) == (503, "2")
        may_load.set()
        while served.http.get("/ready").status_code != 200:
            pass
        assert rerank(served).status_code == 200


def test_nothing_is_loaded_before_the_address_is_told() -> None:
    """Who started the service reads its address in the first line of the log."""
    opened = threading.Event()

    class ToldError(Exception):
        """Ends the service."""

    def load() -> Rescorer:
        opened.set()
        return OverlapRescorer()

    def told(_: str) -> None:
        assert not opened.wait(0.5)
        raise ToldError

    with pytest.raises(ToldError):
        run(Settings(port=0), load, told)


def test_the_log_names_the_model_that_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), serving(OverlapRescorer) as served:
        wait_until_ready(served)
    assert "model overlap is ready after" in caplog.text


def test_what_is_not_scored_in_time_comes_last_below_the_lowest_and_is_marked(serve: Serve) -> None:
    served = serve(OverlapRescorer())
    response = rerank(served, prorank={"timeout_s": 1e-9})
    assert response.headers["x-prorank-status"] == "partial"
    body = response.json()
    assert body["prorank"]["status"] == "partial"
    assert body["prorank"]["reason"] == "2 of 2 documents were not scored in time"
    assert [row["index"] for row in body["results"]] == [0, 1]
    assert [row["prorank"]["score"] for row in body["results"]] == [None, None]
    assert body["results"][0]["relevance_score"] > body["results"][1]["relevance_score"]


def test_a_request_whose_deadline_comes_while_all_threads_are_taken_is_answered(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prorank_search.serving.service._THREADS", 1)
    gate = Gate()
    served = serve(gate, timeout_s="none")
    with ThreadPoolExecutor() as callers:
        first = callers.submit(rerank, served)
        gate.entered.acquire()
        assert rerank(served, prorank={"timeout_s": 0.01}).json()["prorank"]["status"] == "partial"
        gate.opened.set()
        assert first.result().json()["prorank"]["status"] == "ok"


def test_past_the_limit_of_tokens_requests_are_sent_away_until_there_is_a_place(serve: Serve) -> None:
    gate = Gate()
    served = serve(gate, max_queued_tokens=1)
    with ThreadPoolExecutor() as callers:
        first = callers.submit(rerank, served)
        gate.entered.acquire()
        refused = {
            path: served.http.post(path, json=body)
            for path, body in {"/v2/rerank": ASKED, "/rerank": {"query": "fox", "texts": ["a"]}}.items()
        }
        assert {response.status_code for response in refused.values()} == {429}
        assert int(refused["/v2/rerank"].headers["retry-after"]) >= 1
        assert refused["/rerank"].json()["error_type"] == "Overloaded"
        gate.opened.set()
        assert first.result().status_code == 200
    assert rerank(served).status_code == 200


def test_a_client_that_hangs_up_frees_its_place_and_its_work_ends(serve: Serve) -> None:
    gate = Gate()
    served = serve(gate, max_queued_tokens=1)
    hang_up(served, "/v2/rerank", ASKED, gate)
    assert gate.cancelled.wait(30)
    gate.opened.set()
    while served.service.admission.queued_tokens:
        pass
    assert rerank(served).status_code == 200


def test_a_model_that_fails_is_a_clear_fault_and_the_next_request_is_served(serve: Serve) -> None:
    failures = iter([RescorerError("out of memory while reading 'secret words'"), RuntimeError("secret words")])

    def score(query: str, texts: Sequence[str]) -> Sequence[float]:
        del query
        for failure in failures:
            raise failure
        return [0.0] * len(texts)

    served = serve(from_function(score))
    tei = served.http.post("/rerank", json={"query": "fox", "texts": ["a"]})
    assert (tei.status_code, tei.json()["error_type"]) == (424, "Backend")
    cohere = rerank(served)
    assert cohere.status_code == 500
    assert "secret" not in tei.text + cohere.text
    assert rerank(served).status_code == 200


def test_what_a_caller_is_not_told_of_an_error_of_ours_stands_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(OverlapRescorer):
        def score(self, request: ScoreRequest) -> list[Scored]:
            raise ConfigError(f"/models/tiny cannot be read, asked for {len(request.texts)} texts")

    served = serve(Broken())
    with caplog.at_level("INFO"):
        response = rerank(served)
    assert response.status_code == 500
    assert "the log of the service tells more" in response.text
    assert "/models/tiny" not in response.text
    assert "/models/tiny cannot be read, asked for 2 texts" in caplog.text


def test_no_text_of_a_request_stands_in_the_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def score(query: str, texts: Sequence[str]) -> Sequence[float]:
        raise ValueError(query + texts[0])

    served = serve(from_function(score))
    with caplog.at_level("DEBUG"):
        response = served.http.post("/v2/rerank", json={"query": "hush", "documents": ["hush too"]})
    assert response.status_code == 500
    assert "ValueError" in caplog.text
    assert "hush" not in caplog.text


def test_a_score_that_is_no_number_is_a_fault(serve: Serve) -> None:
    served = serve(from_function(lambda _, texts: [float("nan")] * len(texts)))
    assert rerank(served).status_code == 500


def test_a_model_that_cannot_be_loaded_ends_the_service_with_its_error() -> None:
    def load() -> Rescorer:
        raise MissingModelError("never pulled")

    with pytest.raises(MissingModelError, match="never pulled"):
        run(Settings(port=0), load, lambda _: None)


def test_a_port_that_is_taken_is_said(serve: Serve) -> None:
    port = int(serve(OverlapRescorer()).url.rpartition(":")[2])
    with pytest.raises(ConfigError, match="--port"):
        run(Settings(port=port), OverlapRescorer, lambda _: None)


def test_a_request_waits_as_long_as_the_measured_speed_says() -> None:
    now = [0.0]
    admission = Admission(100, 10.0, lambda: now[0])
    admission.enter(80)
    now[0] = 4.0
    admission.leave(80, 80)
    assert admission.tokens_a_second == 20.0
    admission.enter(90)
    with pytest.raises(OverloadedError) as refused:
        admission.enter(70)
    assert refused.value.retry_after_s == 3.0


def test_a_part_of_a_second_to_wait_is_told_as_a_second() -> None:
    assert Fault(429, "the model rests", retry_after_s=0.3).headers == {"Retry-After": "1"}


def test_what_may_be_in_line_grows_with_the_speed() -> None:
    now = [0.0]
    admission = Admission("auto", 10.0, lambda: now[0])
    admission.enter(1_000_000)
    now[0] = 1.0
    admission.leave(1_000_000, 1_000_000)
    assert admission.limit == 7_000_000


def test_what_takes_the_time_of_a_request_before_it_sends_it_away() -> None:
    now = [0.0]
    admission = Admission("auto", 10.0, lambda: now[0])
    admission.enter(100)
    now[0] = 1.0
    admission.leave(100, 100, revision="a model")
    assert admission.tokens_a_second == 100.0
    assert [admission.times_scored(revision) for revision in ("a model", "another")] == [1, 0]
    admission.enter(150, deadline=3.0)
    with pytest.raises(OverloadedError, match=r"takes 1\.5 s of the 2\.1 s") as refused:
        admission.enter(10, deadline=3.1)
    assert refused.value.retry_after_s == 2.0
    admission.enter(10, deadline=2.0)  # is scored before
    admission.enter(10, deadline=0.5)  # is over, and answered at once
    admission.enter(10)
    now[0] = 2.9
    admission.enter(10, deadline=4.9)  # by then the others are over
    for tokens, deadline in ((150, 3.0), (10, 2.0), (10, 0.5), (10, None), (10, 4.9)):
        admission.leave(tokens, 0, deadline)
    assert (admission.queued_tokens, admission.times_scored("a model")) == (0, 1)


def answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/health", timeout=120)
    except httpx.TransportError:
        return False
    return True


def test_sigterm_finishes_what_was_begun_and_takes_nothing_more() -> None:
    with slow_process() as slow:
        with httpx.Client(base_url=slow.url, timeout=120) as http, ThreadPoolExecutor() as callers:
            begun = callers.submit(http.post, "/v2/rerank", json=ASKED)
            slow.wait_until_it_scores()
            slow.process.send_signal(signal.SIGTERM)
            while answers(slow.url):
                pass
            slow.go_on()
            assert begun.result().status_code == 200
        assert slow.process.wait(120) == 0


def test_a_service_that_is_killed_is_missed_at_once_and_its_successor_answers() -> None:
    with slow_process() as slow, ThreadPoolExecutor() as callers:
        begun = callers.submit(httpx.post, f"{slow.url}/v2/rerank", json=ASKED, timeout=120)
        slow.wait_until_it_scores()
        slow.process.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            begun.result()
        slow.process.wait()
        with slow_process(slow.port) as next_one:
            next_one.go_on()
            assert httpx.post(f"{slow.url}/v2/rerank", json=ASKED, timeout=120).status_code == 200
