from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import RescorerError
from prorank_search.profiles import profile_for
from prorank_search.rescorers import from_function
from prorank_search.rescorers.chain import ChainRescorer, Part
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.search import load_rescorer, search
from prorank_search.serving.model_sources import other_sources
from prorank_search.settings import Settings, load_settings
from prorank_search.types import Document, Scored, ScoreRequest
from tests.serving.live import Gate, Served, hang_up, serving, wait_until_ready

QUERY = {"index": "animals", "query": "fox den"}


@pytest.fixture(autouse=True)
def backend(prorank_home: Path) -> TantivyBackend:
    """An index in which BM25 puts a before b before c for "fox den", and only c, which is long, holds both words."""
    backend = TantivyBackend(prorank_home / "indexes")
    with backend.writer("animals", analysis="standard", replace=False) as writer:
        writer.add([Document("a", "fox fox"), Document("b", "den den"), Document("c", "fox den" + " x" * 100)])
        writer.publish()
    return backend


@pytest.fixture
def served(prorank_home: Path) -> Iterator[Served]:
    with serving(OverlapRescorer, home=prorank_home, rescorer="overlap") as served:
        yield wait_until_ready(served)


def post(served: Served, status: int = 200, **more: object) -> Any:  # noqa: ANN401 (JSON)
    response = served.http.post("/v1/search", json=QUERY | more)
    assert response.status_code == status, response.text
    return response.json()


def found(answer: Any) -> str:  # noqa: ANN401 (JSON)
    return "".join(hit["doc_id"] for hit in answer["hits"])


def test_a_search_is_the_librarys_own_answer(served: Served, backend: TantivyBackend) -> None:
    ours = search("fox den", index="animals", backend=backend, rescorer=OverlapRescorer()).to_json()
    theirs = post(served)
    assert {**theirs, "took_ms": 0} == {**json.loads(json.dumps(ours)), "took_ms": 0}
    assert found(theirs) == "cab"


def test_a_request_says_how_it_wants_to_be_searched(served: Served) -> None:
    assert found(post(served, top_k=1)) == "c"
    assert found(post(served, window_size=2)) == "abc"
    assert found(post(served, top_k=1, window_size="auto", whole_window=True)) == "cab"
    first = post(served, rescore=False)
    assert (found(first), first["status"]["state"]) == ("abc", "skipped")


def test_a_query_that_is_too_long_is_refused_before_anything_is_searched(prorank_home: Path) -> None:
    with serving(OverlapRescorer, home=prorank_home, max_text_chars=20) as started:
        served = wait_until_ready(started)
        for more in ({}, {"index": "nowhere"}):
            fault = post(served, 413, query="x" * 21, **more)
            assert "longer than the 20 of one text: cut it, or set max_text_chars" in fault["error"]["message"]
        assert found(post(served, query="fox den")) == "cab"


def test_a_request_says_how_both_scores_become_one_and_what_counts_as_relevant(prorank_home: Path) -> None:
    asked: list[str | None] = []

    class Listening(OverlapRescorer):
        def score(self, request: ScoreRequest) -> list[Scored]:
            asked.append(request.instruction)
            return super().score(request)

    with serving(Listening, home=prorank_home) as served:
        wait_until_ready(served)
        blend = {"score_mode": "total", "normalize": "zscore", "rescore_query_weight": 0.0}
        answer = post(served, blend=blend, instruction="only dens")
        assert found(answer) == "abc"
        assert answer["status"]["blend"] == {**blend, "query_weight": 1.0}
        assert asked == ["only dens"]
        for wrong in ({"score_mode": "sum"}, {"score_mode": "multiply", "normalize": "zscore"}, {"mode": "total"}):
            assert "blend" in post(served, 400, blend=wrong)["error"]["message"]


def test_the_indexes_are_listed(served: Served) -> None:
    (index,) = served.http.get("/v1/indexes").json()["indexes"]
    assert (index["name"], index["documents"], index["analysis"]) == ("animals", 3, "standard")


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"index": "birds"}, 404),
        ({"model": "gpt"}, 404),
        ({"query": " "}, 400),
        ({"query": 3}, 400),
        ({"top_k": 0}, 400),
        ({"topk": 3}, 400),
    ],
)
def test_what_cannot_be_searched_is_refused(served: Served, more: dict[str, object], status: int) -> None:
    assert post(served, status, **more)["error"]["code"] == status


PROFILES = """
[profiles.animals]
rescorer = "overlap"
window_size = 2
[profiles.strict]
rescorer = "overlap"
"""


@contextmanager
def served_by(settings: Settings) -> Iterator[Served]:
    others = other_sources(settings, lambda own: load_rescorer(settings=own))
    longest = from_function(lambda _, texts: [-float(len(text)) for text in texts], name="shortest")
    given = settings.model_dump(include=settings.model_fields_set)
    with serving(lambda: longest, others, **given) as served:
        yield wait_until_ready(served)


def test_the_indexs_profile_is_the_default_and_names_its_model(tmp_path: Path) -> None:
    config = tmp_path / "prorank.toml"
    config.write_text(PROFILES, encoding="utf-8")
    settings = load_settings(config=config)
    with served_by(settings) as served:
        answer = post(served)
        assert (answer["status"]["model"], answer["status"]["window_size"]) == ("overlap", 2)
        assert profile_for(settings, "animals").window_size == 2
        assert post(served, window_size=3, model="prorank")["status"]["model"] == "shortest"


def test_while_the_model_loads_or_is_overloaded_the_first_stages_order_comes_marked(prorank_home: Path) -> None:
    gate = Gate()
    with ExitStack() as running:
        served = running.enter_context(serving(lambda: gate, home=prorank_home, max_queued_tokens=1, timeout_s=20))
        wait_until_ready(served)
        callers = running.enter_context(ThreadPoolExecutor())
        first = callers.submit(post, served)
        gate.entered.acquire()
        second = post(served, query="fox")
        assert second["status"]["state"] == "degraded"
        assert "in line" in second["status"]["reason"]
        gate.opened.set()
        assert first.result()["status"]["state"] == "ok"


def test_a_model_that_fails_leaves_the_first_stages_order_marked(prorank_home: Path) -> None:
    def fail(query: str, texts: Sequence[str]) -> list[float]:
        raise RescorerError(f"out of memory for {query!r} and {len(texts)} texts")

    with serving(lambda: from_function(fail), home=prorank_home) as served:
        answer = post(wait_until_ready(served))
    assert (found(answer), answer["status"]["state"]) == ("abc", "degraded")


def test_a_client_that_hangs_up_ends_its_search(prorank_home: Path) -> None:
    gate = Gate()
    with serving(lambda: gate, home=prorank_home) as served:
        wait_until_ready(served)
        hang_up(served, "/v1/search", QUERY, gate)
        assert gate.cancelled.wait(30)
        gate.opened.set()
        assert post(served)["status"]["state"] == "ok"


def test_health_answers_while_searches_wait(prorank_home: Path) -> None:
    gate = Gate()
    with serving(lambda: gate, home=prorank_home) as served, ThreadPoolExecutor() as callers:
        wait_until_ready(served)
        searches = [callers.submit(post, served) for _ in range(20)]
        gate.entered.acquire()
        assert served.http.get("/health").json()["status"] == "ok"
        gate.opened.set()
        assert {each.result()["status"]["state"] for each in searches} == {"ok"}


def test_an_engine_that_is_not_there_is_a_502(prorank_home: Path) -> None:
    with serving(
        OverlapRescorer, home=prorank_home, backend="opensearch", url="http://127.0.0.1:9", engine_attempts=1
    ) as served:
        wait_until_ready(served)
        assert post(served, 502)["error"]["code"] == 502


def test_a_chain_tells_its_parts_in_searches_and_behind_the_gateway(prorank_home: Path) -> None:
    chain = ChainRescorer([Part(OverlapRescorer(), 1), Part(OverlapRescorer(), weight=1.0)])
    with serving(lambda: chain, home=prorank_home) as served:
        answer = post(wait_until_ready(served))
        assert answer["status"]["parts"] == {"overlap": 3, "overlap (2)": 1}
        assert answer["hits"][0]["parts"] == {"overlap": 1.0, "overlap (2)": 1.0}
        body = {
            "query": {"match": {"text": "fox den"}},
            "rescore": {"window_size": 10, "prorank": {"fields": ["text"]}},
        }
        hits = served.http.post("/animals/_search", json=body).json()["hits"]["hits"]
        assert [hit["_id"] for hit in hits] == [hit["doc_id"] for hit in answer["hits"]]
        assert hits[0]["prorank"]["parts"] == {"overlap": 1.0, "overlap (2)": 1.0}
