"""Random bodies for the gateway: no 500, no hang, and no word of a document in a fault.

python -m tests.serving.gateway_fuzz --bodies 10000
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving.gateway.request import Block
from tests.serving.live import serving, wait_until_ready
from tests.serving.stub_engine import stub_engine

CANARY = "zxqcanaryqxz"
TEXTS = {str(number): f"a fox {CANARY} {number}" for number in range(30)}
PATHS = (
    "/books/_search",
    "/_search",
    "/books/_msearch",
    "/books/_search?size=3",
    "/books/_search?from=x",
    "/b%2Fc/_search",
)
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 7, 1e308, 2**63, "", "fox", "query.match.text", "{", "{title}", "{}{0!r:>9}", "\x00\ud800",
    [], {}, ["title"], [1], {"a": 1},
    "auto", "keep", "error", "apply", "shadow", "rrf", "none", "zscore", 0.5, "_score",
)  # fmt: skip


def body_of(chance: random.Random) -> bytes:
    """Return a body that may be anything, more often nearly right."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(60))
    raw = json.dumps(_search(chance)).encode()
    if chance.random() < 0.1:
        at = chance.randrange(len(raw))
        raw = raw[:at] + chance.choice([b"", b",", b'"', b"\xff", b"[" * 50, b"NaN"]) + raw[at + chance.randrange(3) :]
    return raw


def run(bodies: int, seed: int = 1, told: Callable[[str], object] = lambda _: None) -> dict[int, int]:
    """Send so many bodies; return how often each status came.

    Raises:
        AssertionError: An answer that must not be.
    """
    chance, seen = random.Random(seed), collections.Counter[int]()
    slowest = 0.0
    with stub_engine(TEXTS) as engine, serving(OverlapRescorer, url=engine.url, timeout_s=5.0) as served:
        wait_until_ready(served)
        for number in range(bodies):
            raw, path = body_of(chance), chance.choice(PATHS)
            raw = b"{}\n" + raw + b"\n" if path.endswith("_msearch") else raw
            began = time.monotonic()
            answer = served.http.post(path, content=raw, headers={"content-type": "application/json"})
            slowest = max(slowest, time.monotonic() - began)
            seen[answer.status_code] += 1
            _check(answer, raw)
            if number % 1000 == 0:
                told(f"{number} bodies, {dict(seen)}, slowest {slowest:.2f} s")
    told(f"{bodies} bodies, {dict(seen)}, slowest {slowest:.2f} s")
    return dict(seen)


def _check(answer: httpx.Response, raw: bytes) -> None:
    assert answer.status_code < 500, (raw, answer.text)
    faults = [answer.text] if answer.status_code >= 400 else []
    if answer.status_code == 200 and '"responses"' in answer.text:
        faults = [json.dumps(each) for each in answer.json()["responses"] if "error" in each]
    assert not any(CANARY in fault for fault in faults), (raw, faults)


def _search(chance: random.Random) -> object:
    body: dict[str, Any] = {"query": {"match": {"text": chance.choice(["fox", "a hen", "", {"query": "fox"}])}}}
    for key in ("from", "size", "sort", "_source", "search_after", "pit", "ext", "stored_fields", "query", "aggs"):
        if chance.random() < 0.08:
            body[key] = chance.choice(ODD)
    if chance.random() < 0.1:
        body["ext"] = {"rerank": chance.choice([{"query_context": {"query_text": chance.choice(ODD)}}, *ODD])}
    if chance.random() < 0.9:
        stage: dict[str, Any] = {"prorank": _block(chance)}
        if chance.random() < 0.5:
            stage["window_size"] = chance.choice([*ODD, 5, 10])
        body["rescore"] = chance.choice([stage, [stage], [stage, stage], [{"query": {}}, stage], chance.choice(ODD)])
    return body if chance.random() < 0.97 else chance.choice(ODD)


def _block(chance: random.Random) -> object:
    if chance.random() < 0.05:
        return chance.choice(ODD)
    keys = chance.sample(sorted(Block.model_fields), chance.randrange(4))
    block = {key: chance.choice(ODD) for key in keys}
    if chance.random() < 0.1:
        block[chance.choice(["fieldz", "windo", "\x00", "🦊" * 100])] = 1
    return block


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    run(given.bodies, given.seed, lambda line: sys.stdout.write(line + "\n"))
