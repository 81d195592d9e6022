"""What passes the gateway as it is, and what never reaches the engine."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
from collections.abc import Callable

import httpx
import pytest

from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving.http_upstream import HttpUpstream
from prorank_search.serving.upstream import EngineRequest
from prorank_search.settings import Settings
from tests.serving.gateway_asking import BEST_FIRST, QUERY, ids, search
from tests.serving.live import Served
from tests.serving.stub_engine import StubEngine

Serve = Callable[..., Served]


def test_what_passes_is_the_engines_byte_for_byte(served: Served, engine: StubEngine) -> None:
    path = "/books/_doc/a%2Fb%20c?routing=x&pretty"
    engine.answers["/books/_doc/a%2Fb%20c"] = b'{ "odd":  1.50e0 }'
    assert served.http.get(path).content == b'{ "odd":  1.50e0 }'
    assert engine.lines == [f"GET {path}"]
    assert served.http.head("/books").status_code == 200
    assert search(served, QUERY).content == httpx.post(f"{engine.url}/books/_search", json=QUERY, timeout=60).content


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
        ("POST", "/books/_explain/..%2F_bulk"),
        ("DELETE", "/_search/scroll/x%2F..%2F..%2F..%2Fbooks"),
    ],
)
def test_what_is_no_read_does_not_reach_the_engine(served: Served, engine: StubEngine, method: str, path: str) -> None:
    url = httpx.URL(served.url).copy_with(raw_path=path.encode())
    response = served.http.send(httpx.Request(method, url, headers={"content-type": "application/json"}, content=b"{}"))
    assert response.status_code in (400, 403, 404)
    assert engine.lines == []


@pytest.mark.parametrize("gateway_writes", [False, True])
def test_nothing_in_a_path_ends_it_before_what_was_checked(
    serve: Serve, engine: StubEngine, *, gateway_writes: bool
) -> None:
    address = httpx.URL(serve(OverlapRescorer(), url=engine.url, gateway_writes=gateway_writes).url)
    connection = http.client.HTTPConnection(address.host, address.port or 80, timeout=60)
    with contextlib.closing(connection):
        for path in ("/books#/_pit", "/*#/_pit", "/*#", "/#/_pit", "/books/_search?q=a#b", "/books\\/_pit"):
            for method in ("DELETE", "POST", "PUT", "GET", "HEAD"):
                connection.request(method, path)
                response = connection.getresponse()
                said = response.read()
                assert response.status == 400
                assert method == "HEAD" or b"illegal_argument_exception" in said
    assert engine.lines == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/_search/scroll/_all", None, 403),
        ("/_search/scroll/_%61ll", None, 403),
        ("/_search/scroll/x,_all", None, 403),
        ("/_search/scroll?scroll_id=%5Fall", None, 403),
        ("/_search/scroll?pretty;scroll_id=_all", None, 403),
        ('/_search/scroll?source={"scroll_id":"_all"}&source_content_type=application/json', None, 403),
        ("/_search/scroll", '{"scroll_id": ["_all"]}', 403),
        ("/_search/scroll", '{"scroll_id": "\\u005fall"}', 403),
        ("/_search/scroll", '{"scroll_id": "_all"}'.encode("utf-16"), 403),
        ("/_search/scroll", gzip.compress(b'{"scroll_id": "_all"}'), 403),
        ("/_search/scroll", '{"scroll_id": ["DXF1_allZX-_all=="]}', 200),
        ("/_search/point_in_time", '{"pit_id": ["_all"]}', 403),
        ("/_search/point_in_time", '{"pit_id": ["46ToAwMDaWR5"]}', 200),
        ("/_pit", '{"id": "46ToAwMDaWR5"}', 200),
        ("/_search/scroll/DXF1_allZX==", None, 200),
    ],
)
def test_nobody_ends_the_scrolls_of_all(
    served: Served, engine: StubEngine, path: str, body: str | bytes | None, status: int
) -> None:
    response = served.http.request("DELETE", path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert len(engine.lines) == (status == 200)


def test_the_server_is_sent_the_path_that_was_checked(engine: StubEngine) -> None:
    async def send() -> None:
        upstream = HttpUpstream(Settings(url=engine.url))
        await upstream.send(EngineRequest("DELETE", "/books#/_pit", raw_path="/books#/_pit"))
        await upstream.send(EngineRequest("GET", "/a#b", "pretty", raw_path="/a%23b"))
        await upstream.close()

    asyncio.run(send())
    assert engine.lines == ["DELETE /books%23/_pit", "GET /a%23b?pretty"]


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
