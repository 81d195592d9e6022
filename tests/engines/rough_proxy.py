"""A proxy between client and engine that spoils a share of the requests, each time in a way drawn at random."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("429", "503", "503 late", "reset", "reset late", "stall", "cut")
"""Refused; done, then refused; lost before or after it was done; done too late; done and answered by half."""


class RoughProxy(ThreadingHTTPServer):
    """Passes requests on to `upstream`, but for a share of them."""

    daemon_threads = True

    def __init__(self, upstream: str, *, share: float, stall_s: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        split = urlsplit(upstream)
        self.upstream = (split.hostname or "127.0.0.1", split.port or 9200)
        self.share = share
        self.stall_s = stall_s
        self.faults: Counter[str] = Counter()
        self.requests = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def draw(self) -> str:
        """Return the fault of the next request; empty: none."""
        with self._lock:
            self.requests += 1
            fault = self._random.choice(FAULTS) if self._random.random() < self.share else ""
            self.faults[fault] += 1
        return fault

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the client went away, as it may."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RoughProxy

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing."""

    def _answer(self, status: int, body: bytes, content_type: str = "application/json", *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-elastic-product", "Elasticsearch")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _pass_on(self, body: bytes) -> tuple[int, bytes, str]:
        upstream = http.client.HTTPConnection(*self.server.upstream, timeout=120)
        try:
            headers = {
                key: value
                for key, value in self.headers.items()
                if key.lower() in ("content-type", "accept", "authorization")
            }
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            return answer.status, answer.read(), answer.headers.get("content-type", "application/json")
        finally:
            upstream.close()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = self.server.draw()
        if fault in ("429", "503"):
            self._answer(int(fault), b'{"error":{"type":"spoiled","reason":"by the proxy"}}')
            return
        if fault == "reset":
            self._reset()
            return
        if fault == "stall":
            time.sleep(self.server.stall_s)
        status, answer, content_type = self._pass_on(body)
        if fault in ("reset late", "stall"):
            self._reset()
        elif fault == "503 late":
            self._answer(503, b"<html>no answer</html>", "text/html")
        else:
            self._answer(status, answer, content_type, cut=fault == "cut")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815 (names of http.server)


@contextmanager
def rough_proxy(upstream: str, *, share: float = 0.1, stall_s: float = 4.0, seed: int = 1) -> Iterator[RoughProxy]:
    """Run the proxy on a free port."""
    proxy = RoughProxy(upstream, share=share, stall_s=stall_s, seed=seed)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
