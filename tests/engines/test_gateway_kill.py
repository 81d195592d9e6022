from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from prorank_search.backends.engines.analysis import plan
from prorank_search.backends.engines.detection import connect
from prorank_search.local import engine
from prorank_search.local.lock import DEFAULT_VERSION
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.settings import Settings
from prorank_search.testing.backends import DOCUMENTS
from tests.engines.indexes import our_index
from tests.engines.server_kills import Server
from tests.engines.servers import missing, open_folder
from tests.serving.live import Served, serving, wait_until_ready

BODY = {"query": {"match": {"text": "animal"}}, "rescore": {"window_size": 10, "prorank": {}}}
CLEAR = {200, 404, 502, 503, 504}
"""404 and 503: the engine is up again, and its shards are not."""


def test_an_engine_that_is_killed_is_told_clearly_and_the_next_search_is_answered(
    shared_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not engine.is_prepared(DEFAULT_VERSION, shared_home, with_ml=False):
        missing("OpenSearch is not here: prorank engine fetch opensearch")
    monkeypatch.setenv("PRORANK_HOME", str(shared_home))
    with open_folder() as place:
        server = Server(place)
        try:
            with (
                serving(OverlapRescorer, url=server.url, engine_timeout_s=10) as served,
                our_index(connect(Settings(url=server.url)), "killed", plan("english", smartcn=False), DOCUMENTS),
            ):
                wait_until_ready(served)
                statuses = asked_during(served, server.restart)
                assert set(statuses) <= CLEAR
                assert statuses[502], statuses
                while (answer := search(served)).status_code != 200:
                    assert answer.status_code in CLEAR
                assert answer.json()["prorank"]["status"] == "ok"
        finally:
            server.process.kill()
            server.process.wait()


def search(served: Served) -> httpx.Response:
    return httpx.post(f"{served.url}/killed/_search", json=BODY, timeout=60)


def asked_during(served: Served, happens: Callable[[], object]) -> Counter[int]:
    """Ask from two threads while something happens; return how often each status came."""
    statuses, over = Counter[int](), threading.Event()

    def ask() -> None:
        while not over.is_set():
            statuses[search(served).status_code] += 1
            over.wait(0.02)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        happens()
    finally:
        over.set()
        for asker in askers:
            asker.join()
    return statuses
