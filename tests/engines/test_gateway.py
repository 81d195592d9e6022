"""The search gateway in front of real servers, asked by their own, unmodified clients."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from elasticsearch import Elasticsearch
from opensearchpy import OpenSearch

from prorank_search.backends.engines.analysis import plan
from prorank_search.backends.engines.connection import Engine
from prorank_search.rescorers import from_function
from prorank_search.types import Document, Scored, ScoreRequest
from tests.engines.indexes import our_index, shop
from tests.engines.servers import Server
from tests.serving.live import Served, serving, wait_until_ready

COUNT = 120
WINDOW = 50
DOCUMENTS = [
    Document(f"d{number}", f"A fox {'runs ' * (number % 9)}in wood {number}.", metadata={"kind": f"k{number % 3}"})
    for number in range(COUNT)
]
FOX: dict[str, Any] = {"query": {"match": {"text": "fox"}}}
RESCORED: dict[str, Any] = {**FOX, "rescore": {"window_size": WINDOW, "prorank": {}}}


def by_number(query: str, texts: object) -> list[float]:
    """Score texts by the number in them, in an order that BM25 does not have; some are equal."""
    del query
    assert isinstance(texts, list | tuple)
    return [float(int(text.rpartition("wood ")[2].rstrip(".") or 0) * 7 % 40) for text in texts]


class Half:
    """Scores every other text."""

    revision = "half-1"
    info = from_function(by_number).info

    def score(self, request: ScoreRequest) -> list[Scored]:
        scores = by_number(request.query, request.texts)
        return [Scored(score if at % 2 else None) for at, score in enumerate(scores)]


class Slow(Half):
    """Scores the first texts, and is at the next ones when the deadline strikes."""

    revision = "slow-1"

    def score(self, request: ScoreRequest) -> list[Scored]:
        assert request.deadline is not None
        scores = by_number(request.query, request.texts)
        time.sleep(max(0.0, request.deadline - time.monotonic()))
        return [Scored(score if at < WINDOW // 2 else None) for at, score in enumerate(scores)]


@pytest.fixture(scope="module")
def foxes(engine: Engine) -> Iterator[str]:
    with our_index(engine, "gateway-foxes", plan("english", smartcn=False), DOCUMENTS) as name:
        yield name


@pytest.fixture(scope="module")
def gateway(server: Server) -> Iterator[Served]:
    with serving(lambda: from_function(by_number), url=server.url) as served:
        yield wait_until_ready(served)


def client_of(engine: Engine, url: str) -> OpenSearch | Elasticsearch:
    """Return the engine's own client, which asks a gateway."""
    return OpenSearch(url, timeout=60) if engine.name == "opensearch" else Elasticsearch(url, request_timeout=60)


@pytest.fixture
def client(server: Server, engine: Engine, gateway: Served) -> OpenSearch | Elasticsearch:
    """The engine's own client, which asks the gateway."""
    del server
    return client_of(engine, gateway.url)


def ids(answer: Any) -> list[str]:  # noqa: ANN401 (JSON)
    return [hit["_id"] for hit in answer["hits"]["hits"]]


def pages(client: OpenSearch | Elasticsearch, index: str, body: dict[str, Any], size: int) -> list[dict[str, Any]]:
    """Return all hits of a search, asked for page by page."""
    hits: list[dict[str, Any]] = []
    for start in range(0, COUNT + size, size):
        answer = client.search(index=index, body={**body, "from": start, "size": size})
        hits += answer["hits"]["hits"]
    return hits


def test_pages_of_seven_are_one_page_of_all(client: OpenSearch | Elasticsearch, foxes: str) -> None:
    paged = pages(client, foxes, RESCORED, 7)
    whole = client.search(index=foxes, body={**RESCORED, "size": COUNT})["hits"]["hits"]
    assert len(whole) == COUNT
    assert paged == whole
    scores = [hit["_score"] for hit in whole]
    assert all(before > after for before, after in pairwise(scores))
    plain = ids(client.search(index=foxes, body={**FOX, "size": COUNT}))
    order = [hit["_id"] for hit in whole]
    assert set(order[:WINDOW]) == set(plain[:WINDOW])
    assert order[:WINDOW] != plain[:WINDOW]
    assert order[WINDOW:] == plain[WINDOW:]
    assert [hit["prorank"]["rank"] for hit in whole] == list(range(1, COUNT + 1))
    assert [plain[hit["prorank"]["first_stage_rank"] - 1] for hit in whole] == order


@pytest.mark.parametrize("rescorer", [Half, Slow])
@pytest.mark.parametrize("size", [7, 120])
def test_pages_hold_where_only_half_was_scored_in_time(
    server: Server, engine: Engine, foxes: str, size: int, rescorer: type[Half]
) -> None:
    with serving(rescorer, url=server.url, timeout_s=3) as served:
        wait_until_ready(served)
        client = client_of(engine, served.url)
        first = client.search(index=foxes, body={**RESCORED, "from": 0, "size": size})
        assert (first["prorank"]["status"], first["prorank"]["window_size"]) == ("partial", WINDOW)
        paged = pages(client, foxes, RESCORED, 7)
        assert paged == client.search(index=foxes, body={**RESCORED, "size": COUNT})["hits"]["hits"]
        assert len({hit["_id"] for hit in paged}) == COUNT


def test_all_but_the_order_is_the_engines_own_answer(client: OpenSearch | Elasticsearch, foxes: str) -> None:
    more = {
        "aggs": {"kinds": {"terms": {"field": "facts"}}},
        "highlight": {"fields": {"text": {}}},
        "_source": ["title", "metadata.*"],
        "track_total_hits": True,
        "size": WINDOW,
    }
    ours = dict(client.search(index=foxes, body={**RESCORED, **more}))
    plain = dict(client.search(index=foxes, body={**FOX, **more}))
    assert ours["aggregations"] == plain["aggregations"]
    assert ours["hits"]["total"] == plain["hits"]["total"]
    ours_by_id = {
        hit["_id"]: {k: v for k, v in hit.items() if k not in ("prorank", "_score")} for hit in ours["hits"]["hits"]
    }
    assert ours_by_id == {hit["_id"]: {k: v for k, v in hit.items() if k != "_score"} for hit in plain["hits"]["hits"]}
    assert ours["hits"]["hits"][0]["prorank"]["rescore_score"] == 39.0


def test_searches_that_ask_for_nothing_pass_as_they_are(
    client: OpenSearch | Elasticsearch, server: Server, gateway: Served, foxes: str
) -> None:
    assert "prorank" not in client.search(index=foxes, body=FOX)
    for path in (f"/{foxes}/_search?q=fox&filter_path=hits", f"/{foxes}/_count", "/_cat/indices?format=json", "/"):
        direct, passed = httpx.get(server.url + path, timeout=60), gateway.http.get(path)
        assert (passed.status_code, passed.content) == (direct.status_code, direct.content)
        assert passed.headers["content-type"] == direct.headers["content-type"]


def test_writes_do_not_pass(gateway: Served, foxes: str) -> None:
    for method, path in (("POST", f"/{foxes}/_doc"), ("PUT", "/new"), ("DELETE", f"/{foxes}"), ("POST", "/_bulk")):
        answer = gateway.http.request(method, path, json={})
        assert (answer.status_code, answer.json()["error"]["type"]) == (403, "security_exception")


def test_what_the_engines_rescore_refuses_is_refused_in_their_shape(
    gateway: Served, server: Server, foxes: str
) -> None:
    theirs = {"rescore": {"window_size": 5, "query": {"rescore_query": {"match_all": {}}}}, "sort": ["facts"]}
    own = httpx.post(f"{server.url}/{foxes}/_search", json={**FOX, **theirs}, timeout=60)
    ours = gateway.http.post(f"/{foxes}/_search", json={**RESCORED, "sort": ["facts"]})
    assert ours.status_code == own.status_code == 400
    assert "Cannot use [sort] option in conjunction with [rescore]." in own.text
    assert ours.json()["error"]["reason"] == "Cannot use [sort] option in conjunction with [rescore]."


def test_the_engines_own_faults_pass(gateway: Served, server: Server) -> None:
    broken: dict[str, Any] = {"query": {"no_such": {}}}
    for body in ({**broken, "rescore": {"prorank": {"query_text": "x"}}}, broken):
        answer = gateway.http.post("/gateway-foxes/_search", json=body)
        assert answer.status_code == 400
        assert "no_such" in answer.text
    assert gateway.http.post("/no-such-index/_search", json=RESCORED).status_code == 404
    assert httpx.post(f"{server.url}/no-such-index/_search", json=FOX, timeout=60).status_code == 404


def test_many_searches_in_one_request_have_each_their_own_answer(
    client: OpenSearch | Elasticsearch, foxes: str
) -> None:
    wrong = {**FOX, "rescore": {"prorank": {"fieldz": ["text"]}}}
    bodies = [FOX, RESCORED, wrong, RESCORED, {**RESCORED, "from": 45, "size": 10}]
    lines = [line for body in bodies for line in ({"index": foxes}, body)]
    lines[6] = {"index": "no-such-index"}
    answer = client.msearch(body=lines) if isinstance(client, OpenSearch) else client.msearch(searches=lines)
    plain, rescored, refused, failed, boundary = answer["responses"]
    assert ids(plain) == ids(client.search(index=foxes, body=FOX))
    assert "prorank" not in plain
    assert ids(rescored) == ids(client.search(index=foxes, body=RESCORED))
    assert "did you mean [fields]?" in refused["error"]["reason"]
    assert failed["status"] == 404
    assert ids(boundary) == ids(client.search(index=foxes, body={**RESCORED, "from": 45, "size": 10}))


def test_nested_and_dotted_fields_are_read_where_the_answer_has_no_source(server: Server, engine: Engine) -> None:
    def has_lamp(query: str, texts: object) -> list[float]:
        assert isinstance(texts, list | tuple)
        seen.extend(texts)
        return [float(query in text) for text in texts]

    seen: list[str] = []
    prorank = {"query_text": "lamp", "template": "{product.name}|{sections.body}"}
    body: dict[str, Any] = {"query": {"match_all": {}}, "_source": False, "rescore": {"prorank": prorank}}
    with shop(engine, "gateway-goods") as goods, serving(lambda: from_function(has_lamp), url=server.url) as served:
        hits = wait_until_ready(served).http.post(f"/{goods}/_search", json=body).json()["hits"]["hits"]
    assert [hit["_id"] for hit in hits] == ["S-2", "S-1"]
    assert "_source" not in hits[0]
    assert "Garden lamp|Lights up everything that grows outside at night.\nGoes out within two days" in seen[1]


def test_a_pit_is_honoured(client: OpenSearch | Elasticsearch, gateway: Served, engine: Engine, foxes: str) -> None:
    path = f"/{foxes}/_search/point_in_time" if engine.name == "opensearch" else f"/{foxes}/_pit"
    opened = gateway.http.post(path, params={"keep_alive": "1m"}).json()
    pit = {"id": opened.get("pit_id") or opened["id"], "keep_alive": "1m"}
    engine.request(
        "PUT", f"/{foxes}-1/_doc/late", {"doc_id": "late", "text": "fox in wood 5."}, params={"refresh": True}
    )
    try:
        body = {**RESCORED, "pit": pit}
        found = [client.search(body={**body, "from": start, "size": 30})["hits"]["hits"] for start in range(0, 150, 30)]
        listed = [hit["_id"] for page in found for hit in page]
        assert len(listed) == len(set(listed)) == COUNT
        assert "late" not in listed
    finally:
        engine.request("DELETE", f"/{foxes}-1/_doc/late", params={"refresh": True})


def test_the_answer_says_where_an_order_is_made_anew(client: OpenSearch | Elasticsearch, foxes: str) -> None:
    body = {**RESCORED, "query": {"match": {"text": "wood"}}}
    assert "order_recomputed" in client.search(index=foxes, body={**body, "from": 5})["prorank"]["reason"]
    assert "order_recomputed" not in client.search(index=foxes, body={**body, "from": 5})["prorank"]["reason"]


def test_numbers_and_order_of_keys_stay_as_the_engine_wrote_them(gateway: Served, server: Server, foxes: str) -> None:
    body = {**FOX, "size": 1, "explain": True}
    direct = httpx.post(f"{server.url}/{foxes}/_search", json=body, timeout=60).json()["hits"]["hits"]
    ours = gateway.http.post(f"/{foxes}/_search", json={**RESCORED, "size": WINDOW, "explain": True}).text
    assert json.dumps(direct[0]["_explanation"], separators=(",", ":")) in ours
