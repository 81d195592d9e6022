"""Clients that send slowly, or without end."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving import linger
from tests.serving.live import Gate, Served, connected, request
from tests.serving.stub_engine import StubEngine

Serve = Callable[..., Served]

TOLD: dict[str, Callable[[Any], str]] = {
    "/v1/rerank": lambda fault: fault["detail"] + fault["message"] + fault["error"]["message"],
    "/v2/rerank": lambda fault: fault["message"],
    "/rerank": lambda fault: fault["error"]["message"],
    "/score": lambda fault: fault["error"]["message"],
    "/v1/search": lambda fault: fault["error"]["message"],
    "/books/_search": lambda fault: fault["error"]["reason"],
    "/books/_count": lambda fault: fault["error"]["reason"],
    "/_prorank/gateway": lambda fault: fault["message"],
}
"""Where each path's own faults have their message."""


def trickle(connection: socket.socket, until: Callable[[], bytes]) -> bytes:
    """Send a byte now and then, until something comes back; return what `until` receives."""
    connection.settimeout(0.1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection.sendall(b"x")
            return until()
        except TimeoutError:
            continue
    pytest.fail("the service waits for ever")


def answer_of(connection: socket.socket) -> tuple[int, Any]:
    """Return status and body of an answer after which the connection is closed."""
    raw = b""
    while part := connection.recv(65536):
        raw += part
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)


def is_ended(connection: socket.socket) -> bytes:
    """Receive until the connection is closed."""
    with suppress(ConnectionError):
        while connection.recv(65536):
            continue
    return b"ended"


def test_headers_that_trickle_end_the_connection(serve: Serve) -> None:
    served = serve(OverlapRescorer(), body_timeout_s=0.5)
    with connected(served) as connection:
        connection.sendall(b"POST /v2/rerank HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert trickle(connection, until=lambda: is_ended(connection))
    assert served.http.get("/health").status_code == httpx.codes.OK


def test_a_connection_on_which_nothing_comes_is_closed(serve: Serve) -> None:
    with connected(serve(OverlapRescorer(), body_timeout_s=0.5)) as connection:
        assert connection.recv(1) == b""


def test_a_body_that_trickles_on_when_it_was_refused_ends_the_connection(serve: Serve) -> None:
    served = serve(OverlapRescorer(), body_timeout_s=0.5)
    with request(served, "/v2/rerank", f"Content-Length: {1 << 30}") as connection:
        assert b" 413 " in connection.recv(20)
        assert trickle(connection, until=lambda: is_ended(connection))


def test_an_answer_may_take_longer_than_its_request(serve: Serve) -> None:
    gate = Gate()
    served = serve(gate, body_timeout_s=1.0, timeout_s="none")
    asked = b'{"query": "fox", "documents": ["a fox"]}'
    with request(served, "/v2/rerank", f"Content-Length: {len(asked)}") as connection:
        connection.sendall(asked)
        assert gate.entered.acquire(timeout=30)
        time.sleep(1.2)
        gate.opened.set()
        assert b" 200 " in connection.recv(20)


@pytest.mark.parametrize("path", ["/v1/search", "/v2/rerank"])
def test_the_time_of_a_request_is_counted_from_its_last_byte(serve: Serve, path: str) -> None:
    served = serve(OverlapRescorer())
    with request(served, path, "Content-Length: 2") as connection:
        connection.sendall(b"{")
        time.sleep(1.0)
        connection.sendall(b"}")
        assert b" 400 " in connection.recv(20)
    lines = served.http.get("/metrics").text.splitlines()
    (seconds,) = (float(line.split()[-1]) for line in lines if line.startswith("prorank_request_seconds_sum{"))
    assert seconds < 1.0


@pytest.mark.parametrize("path", TOLD)
def test_a_body_that_trickles_is_a_408_in_the_shape_of_its_path_and_ends_the_connection(
    serve: Serve, engine: StubEngine, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linger, "LINGER_S", 30)  # a connection closed with bytes unread is reset, and the answer lost
    served = serve(OverlapRescorer(), url=engine.url, body_timeout_s=0.5)
    with request(served, path, "Content-Length: 1000") as connection:
        trickle(connection, until=lambda: connection.recv(1, socket.MSG_PEEK))
        connection.sendall(b"x")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(30)
        status, fault = answer_of(connection)
    assert status == 408
    assert "did not arrive within 0.5 s" in TOLD[path](fault)
    assert engine.lines == []
    assert served.http.get("/health").status_code == httpx.codes.OK


def test_a_body_without_end_is_read_up_to_the_limit_and_no_further(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, max_body_mb=1)
    part, sent, status = b"10000\r\n" + b" " * 0x10000 + b"\r\n", 0, b""
    with request(served, "/books/_search", "Transfer-Encoding: chunked") as connection:
        connection.settimeout(0.05)
        deadline = time.monotonic() + 60
        while not status and time.monotonic() < deadline:
            with suppress(TimeoutError):
                sent += connection.send(part[sent % len(part) :])
            with suppress(TimeoutError):
                status = connection.recv(20)
    assert b" 413 " in status
    assert sent < 32 << 20
    assert engine.lines == []
