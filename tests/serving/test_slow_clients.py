"""Clients that send a body slowly, or without end."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from prorank_search.rescorers.overlap import OverlapRescorer
from tests.serving.live import Served
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


@contextmanager
def request(served: Served, path: str, *headers: str) -> Iterator[socket.socket]:
    """Begin a request, and leave its body to the test."""
    address = urlsplit(served.url)
    method = "PUT" if path == "/_prorank/gateway" else "POST"
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers, "", ""]
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        yield connection


def answer_of(connection: socket.socket) -> tuple[int, Any]:
    """Return status and body of an answer after which the connection is closed."""
    raw = b""
    while part := connection.recv(65536):
        raw += part
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("path", TOLD)
def test_a_body_that_trickles_is_a_408_in_the_shape_of_its_path_and_ends_the_connection(
    serve: Serve, engine: StubEngine, path: str
) -> None:
    served = serve(OverlapRescorer(), url=engine.url, body_timeout_s=0.5)
    with request(served, path, "Content-Length: 1000") as connection:
        connection.settimeout(0.1)
        for _ in range(100):
            connection.sendall(b" ")
            try:
                if connection.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
        connection.sendall(b" ")
        time.sleep(0.2)  # a connection closed with this unread would be reset, and the answer lost
        connection.settimeout(30)
        status, fault = answer_of(connection)
    assert status == 408
    assert "did not arrive within 0.5 s" in TOLD[path](fault)
    assert engine.lines == []
    assert served.http.get("/health").status_code == httpx.codes.OK


def test_a_body_without_end_is_read_up_to_the_limit_and_no_further(serve: Serve, engine: StubEngine) -> None:
    served = serve(OverlapRescorer(), url=engine.url, max_body_mb=1)
    part, sent, statuses = b"10000\r\n" + b" " * 0x10000 + b"\r\n", 0, b""
    with request(served, "/books/_search", "Transfer-Encoding: chunked") as connection:
        connection.settimeout(0.05)
        deadline = time.monotonic() + 60
        while not statuses and time.monotonic() < deadline:
            try:
                connection.sendall(part)
                sent += len(part)
                statuses = connection.recv(20)
            except TimeoutError:
                continue
    assert b" 413 " in statuses
    assert sent < 32 << 20
    assert engine.lines == []
