from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import uvicorn

from prorank_search.protocols import Rescorer
from prorank_search.serving.app import create_app
from prorank_search.serving.connection import connections
from prorank_search.serving.service import Service
from prorank_search.serving.shelf import Source
from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest


@dataclass(frozen=True)
class Served:
    """A service that answers on loopback."""

    url: str
    service: Service
    http: httpx.Client


class Gate:
    """Scores 0, 1, 2, ... once it is opened; until then its callers wait, as for a slow model."""

    revision = "gate-1"
    info = RescorerInfo(model="gate")

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)
        self.cancelled = threading.Event()

    def score(self, request: ScoreRequest) -> list[Scored]:
        self.entered.release()
        while not self.opened.wait(0.01):
            if request.cancelled is not None and request.cancelled():
                self.cancelled.set()
                return [Scored(None)] * len(request.texts)
        return [Scored(float(at)) for at in range(len(request.texts))]


@contextmanager
def serving(
    open_rescorer: Callable[[], Rescorer], others: Mapping[str, Source] | None = None, **settings: object
) -> Iterator[Served]:
    service = Service(Settings.model_validate({"keys": "off"} | settings), open_rescorer, others)
    config = uvicorn.Config(
        create_app(service),
        http=connections(service.settings),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        service.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=60) as http:
            try:
                yield Served(url, service, http)
            finally:
                server.should_exit = True
                thread.join()
                service.close()


def wait_until_ready(served: Served) -> Served:
    while served.http.get("/ready").status_code != httpx.codes.OK:
        assert served.service.failure is None
        time.sleep(0.01)
    return served


@contextmanager
def connected(served: Served) -> Iterator[socket.socket]:
    address = urlsplit(served.url)
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=30) as connection:
        yield connection


@contextmanager
def request(served: Served, path: str, *headers: str) -> Iterator[socket.socket]:
    """Begin a request, and leave its body to the test."""
    method = "PUT" if path == "/_prorank/gateway" else "POST"
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers, "", ""]
    with connected(served) as connection:
        connection.sendall("\r\n".join(lines).encode())
        yield connection


def hang_up(served: Served, path: str, body: object, gate: Gate) -> None:
    """Ask, and hang up while the model is at work."""
    raw = json.dumps(body).encode()
    with request(served, path, f"Content-Length: {len(raw)}") as connection:
        connection.sendall(raw)
        assert gate.entered.acquire(timeout=30)
