"""A `prorank serve` of its own: another process, another home, a key, and the rescorer that needs no model."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.settings import load_settings
from prorank_search.types import Document
from prorank_ui.clients.service_client import ServiceClient, open_service
from prorank_ui.roles import Person
from tests.ui.conftest import DOCUMENTS

_STARTS_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class AService:
    """A service that runs.

    Attributes:
        url: Its address.
        key: The key that it asks for.
        home: Its own home, which nobody but it may look into.
    """

    url: str
    key: str
    home: Path


@contextmanager
def a_service(home: Path, port: int, documents: Sequence[Document]) -> Iterator[AService]:
    """Run a service over an index "animals"."""
    with TantivyBackend(home / "indexes").writer("animals", analysis="english", replace=True) as writer:
        writer.add(documents)
        writer.publish()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRORANK_")}
    environment |= {"PRORANK_HOME": str(home)}
    made = subprocess.run(
        jobs.prorank("keys", "create", "ui", "--json"), env=environment, capture_output=True, check=True, cwd=home
    )
    command = jobs.prorank("serve", "--rescorer", "overlap", "--port", str(port))
    server = subprocess.Popen(command, env=environment, cwd=home, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(f"{url}/ready", server)
        yield AService(url, json.loads(made.stdout)["key"], home)
    finally:
        server.terminate()
        try:
            server.wait(timeout=120)  # it lets those finish that it answers
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _STARTS_WITHIN_S
    while True:
        assert server.poll() is None, "`prorank serve` has ended"
        assert time.monotonic() < until, "`prorank serve` does not get ready"
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (loopback)
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AService]:
    with a_service(tmp_path_factory.mktemp("service"), free_port(), DOCUMENTS) as running:
        yield running


@pytest.fixture
def remote(home: Path, service: AService, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name the service in the settings; return this machine's own home, which holds no index."""
    monkeypatch.delenv("PRORANK_RESCORER")
    monkeypatch.setenv("PRORANK_API_URL", service.url)
    monkeypatch.setenv("PRORANK_API_KEY", service.key)
    return home


def open_client(**settings: object) -> ServiceClient:
    if "api_key" in settings:
        settings["api_key"] = SecretStr(str(settings["api_key"]))
    own = load_settings().model_copy(update=settings)
    return open_service(own, lambda: Person("operator"))


@pytest.fixture
def client(remote: Path) -> ServiceClient:  # noqa: ARG001 (the settings are there)
    return open_client()
