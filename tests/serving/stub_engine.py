"""An engine on loopback that finds the same hits each time, shows what it was asked, and fails when it is told to."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class StubEngine(ThreadingHTTPServer):
    """The server.

    Attributes:
        hits: What it finds.
        asked: Bodies of its searches, in order.
        lines: "METHOD path?query" of its requests, as they came.
        headers: Of the last request, names in lower case.
        answers: Raw answers to other requests, by path.
        broken: A status to answer with; 0: the connection is reset; None: it works.
        held: Searches wait while it is cleared.
        more_headers: Of its answers, beside the usual ones.
        more: Members of its answers to searches, beside the usual ones.
    """

    daemon_threads = True

    def __init__(self, hits: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hits = hits
        self.asked: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.headers: dict[str, str] = {}
        self.answers: dict[str, bytes] = {}
        self.broken: int | None = None
        self.held = threading.Event()
        self.held.set()
        self.more_headers: dict[str, str] = {}
        self.more: dict[str, Any] = {}

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up."""

    def search(self, body: dict[str, Any], query: Mapping[str, list[str]]) -> dict[str, Any]:
        """Return the answer to a search."""
        first = int(query.get("from", [body.get("from", 0)])[0])
        size = int(query.get("size", [body.get("size", 10)])[0])
        ids = body.get("query", {}).get("ids", {}).get("values")
        hits = [hit for hit in self.hits if ids is None or hit["_id"] in ids]
        shown = [hit if body.get("_source", True) else {**hit, "_source": None} for hit in hits[first : first + size]]
        shown = [{key: value for key, value in hit.items() if value is not None} for hit in shown]
        return {
            "took": 1,
            "hits": {"total": {"value": len(hits)}, "max_score": 9.5, "hits": shown},
            "aggregations": 1.50,
            **self.more,
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StubEngine

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.lines.append(f"{self.command} {self.path}")
        self.server.headers = {name.lower(): value for name, value in self.headers.items()}
        status = 200
        try:
            answer = self._answer(raw)
        except (ValueError, TypeError, AttributeError, IndexError):
            status, answer = 400, b'{"error": {"type": "parsing_exception", "reason": "bad"}, "status": 400}'
        if self.server.broken == 0:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(self.server.broken or status)
        self.send_header("content-type", "application/json")
        self.send_header("x-elastic-product", "Elasticsearch")
        self.send_header("content-length", str(len(answer)))
        for name, value in self.server.more_headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def _answer(self, raw: bytes) -> bytes:
        address = urlsplit(self.path)
        if address.path.endswith("/_search") and "json" in self.headers.get("content-type", "json"):
            body = json.loads(raw or b"{}")
            self.server.asked.append(body)
            self.server.held.wait(30)
            return json.dumps(self.server.search(body, parse_qs(address.query))).encode()
        if address.path.endswith("/_msearch"):
            bodies = [json.loads(line) for line in raw.splitlines()[1::2]]
            self.server.asked += bodies
            return json.dumps({"took": 1, "responses": [self.server.search(body, {}) for body in bodies]}).encode()
        return self.server.answers.get(address.path, b'{"raw":  1.50}')

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815 (names of http.server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing."""


@contextmanager
def stub_engine(texts: Mapping[str, str]) -> Iterator[StubEngine]:
    """Run an engine whose hits have these texts, by id, the first one with the highest score."""
    hits: list[dict[str, Any]] = [
        {"_index": "books", "_id": hit_id, "_score": 9.5 - at, "_source": {"title": f"Title {hit_id}", "text": text}}
        for at, (hit_id, text) in enumerate(texts.items())
    ]
    engine = StubEngine(hits)
    thread = threading.Thread(target=engine.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield engine
    finally:
        engine.held.set()
        engine.shutdown()
        engine.server_close()
        thread.join()
