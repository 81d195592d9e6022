"""Measure what the search gateway adds to a search of an engine: the same searches, directly and through it, in turn.

    python benchmarks/gateway_overhead.py http://localhost:9200

It makes an index of its own and deletes it afterwards. `passed`: nothing is rescored, so the answer goes through as it
is; `rescored`: a window of as many hits, by the rescorer `overlap`, against the engine alone; `frozen`: a further page.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

INDEX = "prorank-gateway-overhead"
DOCUMENTS = 2000
SIZES = (10, 100)
WARM_UP = 50


def main(url: str, rounds: int) -> None:
    """Print a table."""
    with httpx.Client(base_url=url, timeout=60) as direct, filled(direct), gateway(url) as through:
        for size in SIZES:
            plain = {"query": {"match": {"text": "fox"}}, "size": size}
            rescored = {**plain, "rescore": {"window_size": size, "prorank": {}}}
            for name, body in (("passed", plain), ("rescored", rescored), ("frozen", {**rescored, "from": 1})):
                ours, theirs = timed(through, direct, body, plain, rounds, fresh=name == "rescored")
                added = statistics.median(ours) - statistics.median(theirs)
                print(
                    f"{name:9} {size:4} hits: engine p50 {statistics.median(theirs):6.2f} ms, through the gateway "
                    f"{statistics.median(ours):6.2f} ms, p50 +{added:.2f} ms, p95 +{p95(ours) - p95(theirs):.2f} ms"
                )


def timed(
    through: httpx.Client,
    direct: httpx.Client,
    ours: dict[str, object],
    theirs: dict[str, object],
    rounds: int,
    *,
    fresh: bool,
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of both, of searches sent in turn; fresh ones find no order that was kept."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + rounds):
        body = {**ours, "track_total_hits": 10_000 + number} if fresh else ours
        pairs = [(taken[0], through, body), (taken[1], direct, theirs)]
        for into, client, asked in pairs if number % 2 else reversed(pairs):
            began = time.perf_counter()
            client.post(f"/{INDEX}/_search", json=asked).raise_for_status()
            if number >= WARM_UP:
                into.append(1e3 * (time.perf_counter() - began))
    return taken


def p95(values: list[float]) -> float:
    """Return the value that 95 % of them do not exceed."""
    return statistics.quantiles(values, n=20)[-1]


@contextmanager
def filled(engine: httpx.Client) -> Iterator[None]:
    """Make an index of texts of about 100 words."""
    lines = []
    for number in range(DOCUMENTS):
        text = " ".join(f"word{(number * 31 + at * 7) % 997}" for at in range(98)) + f" fox {number % 7 * 'fox '}"
        lines += [json.dumps({"index": {"_id": number}}), json.dumps({"title": f"Number {number}", "text": text})]
    headers = {"content-type": "application/x-ndjson"}
    engine.post(f"/{INDEX}/_bulk?refresh=true", content="\n".join(lines) + "\n", headers=headers).raise_for_status()
    try:
        yield
    finally:
        engine.delete(f"/{INDEX}")


@contextmanager
def gateway(url: str) -> Iterator[httpx.Client]:
    """Run `prorank serve` in front of the engine."""
    program = [str(Path(sys.executable).with_name("prorank")), "serve", "--rescorer", "overlap", "--url", url]
    with (
        tempfile.TemporaryFile("a+") as log,
        subprocess.Popen([*program, "--port", "0"], stderr=log, text=True) as process,
    ):
        try:
            with httpx.Client(base_url=address_in(log), timeout=60) as client:
                while client.get("/ready").status_code != httpx.codes.OK:
                    time.sleep(0.1)
                yield client
        finally:
            process.terminate()


def address_in(log: IO[str]) -> str:
    """Wait for the line that tells the service's address."""
    while True:
        log.seek(0)
        first = log.readline()
        if first.endswith("\n"):
            return first.partition(" ")[0]
        time.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=500)
    given = parser.parse_args()
    main(given.url, given.rounds)
