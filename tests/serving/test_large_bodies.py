"""Bodies of many MB: read in threads, step by step, so that others are answered meanwhile."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving.json_steps import STEP
from prorank_search.serving.off_loop import off_loop
from tests.serving.gateway_asking import QUERY, RESCORED
from tests.serving.live import Served
from tests.serving.stub_engine import StubEngine

Serve = Callable[..., Served]

JSON, GZIP = {"content-type": "application/json"}, {"content-encoding": "gzip"}
IDS = [str(number) for number in range(100_000)]
SEARCH: dict[str, Any] = {**RESCORED, "query": {"bool": {"must": QUERY["query"], "filter": {"terms": {"_id": IDS}}}}}
BY_PROFILE = {key: value for key, value in SEARCH.items() if key != "rescore"}
SHADOW = {**BY_PROFILE, "rescore": {"window_size": 4, "prorank": {"mode": "shadow"}}}
TEXTS = ["a fox runs " * 100] * 900


def lines(*bodies: object) -> bytes:
    return "".join(f'{{"index": "books"}}\n{json.dumps(body)}\n' for body in bodies).encode()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The most characters of JSON that one call read or wrote, by the name of its thread."""
    most: dict[str, int] = defaultdict(int)
    decode, encode = json.JSONDecoder.raw_decode, json.JSONEncoder.encode

    def note(length: int) -> None:
        name = threading.current_thread().name
        most[name] = max(most[name], length)

    def raw_decode(self: json.JSONDecoder, s: str, idx: int = 0) -> Any:  # noqa: ANN401 (JSON)
        value, end = decode(self, s, idx)
        note(end - idx)
        return value, end

    def whole(self: json.JSONEncoder, o: object) -> str:
        written = encode(self, o)
        note(len(written))
        return written

    monkeypatch.setattr(json.JSONDecoder, "raw_decode", raw_decode)
    monkeypatch.setattr(json.JSONEncoder, "encode", whole)
    return most


def of_the_loop(read: dict[str, int]) -> int:
    return max((most for name, most in read.items() if name.endswith("(run)")), default=0)  # as live.py starts it


@pytest.mark.parametrize(
    ("path", "content", "headers"),
    [
        ("/books/_search", json.dumps(SEARCH).encode(), JSON),
        ("/books/_search", json.dumps(BY_PROFILE).encode(), JSON),
        ("/books/_search", json.dumps(SHADOW).encode(), JSON),
        ("/books/_search", gzip.compress(json.dumps(SEARCH).encode()), {**JSON, **GZIP}),
        ("/_msearch", lines(SEARCH, QUERY, BY_PROFILE), {"content-type": "application/x-ndjson"}),
        ("/v1/rerank", json.dumps({"query": "fox", "documents": TEXTS}).encode(), JSON),
        ("/rerank", json.dumps({"query": "fox", "texts": TEXTS}).encode(), JSON),
        ("/v1/search", json.dumps({"index": "books", "query": "fox", "rest": IDS}).encode(), JSON),
    ],
    ids=["asks", "by profile", "shadow", "gzip", "msearch", "v1", "tei", "search"],
)
def test_the_event_loop_reads_and_writes_no_long_json(
    serve: Serve, engine: StubEngine, read: dict[str, int], path: str, content: bytes, headers: dict[str, str]
) -> None:
    served = serve(OverlapRescorer(), url=engine.url)
    answer = served.http.post(path, content=content, headers=headers)
    assert answer.status_code in {200, 400}, answer.text[:300]
    assert of_the_loop(read) <= STEP


def test_a_search_of_some_size_is_planned_in_a_thread() -> None:
    async def planned_by(length: int) -> threading.Thread:
        return await off_loop(length, threading.current_thread)

    assert asyncio.run(planned_by(8192)) is threading.current_thread()
    assert asyncio.run(planned_by(8193)) is not threading.current_thread()


def test_texts_of_many_hits_are_cut_in_a_thread_too(serve: Serve, engine: StubEngine, read: dict[str, int]) -> None:
    for hit in engine.hits:
        hit["_source"]["text"] += " whale" * 50_000
    served = serve(OverlapRescorer(), url=engine.url)
    assert served.http.post("/books/_search", json=RESCORED).json()["prorank"]["status"] == "ok"
    assert of_the_loop(read) <= STEP
