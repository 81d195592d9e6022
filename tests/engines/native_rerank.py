"""Search a real OpenSearch through its own rerank pipeline, with scores that are hard to write as numbers.

    python -m tests.engines.native_rerank --searches 2000 [--version 3.6.0]

Each search has scores of its own: ordinary, saturated (probabilities from 1e-12 to 0.99999999 and beyond), tied, and at
the ends of what a float holds. A failed cast in ml-commons fails the search, since the pipeline is made with
`--on-failure error`. The order has to be that of the scores, ties in the first stage's order.
"""

from __future__ import annotations

import argparse
import math
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opensearchpy import OpenSearch
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.local.lock import DEFAULT_VERSION
from prorank_search.settings import Settings
from prorank_search.types import Calibration, RescorerInfo, Scored, ScoreRequest
from tests.engines.opensearch_server import run_opensearch
from tests.serving.live import serving, wait_until_ready

INDEX, PIPELINE = "native-rerank", "native-rerank"
DOCUMENTS = 30
WORD = "document"
KINDS: Sequence[Callable[[random.Random], float]] = (
    lambda draw: draw.gauss(-4, 4),
    lambda draw: draw.choice((1, -1)) * draw.uniform(18.4, 27.7),  # 0.99999999 and more, 1e-8 to 1e-12
    lambda draw: draw.choice((0.0, 1.0, -3.0, 36.0)),
    lambda draw: draw.choice((1, -1)) * draw.uniform(27.0, 745.0),
    lambda draw: round(draw.gauss(0, 2), 1),
)
AWKWARD = (
    f'{WORD} say "run" /now',
    f"{WORD} {{braces}} and \\ backslash",
    f"{WORD}\nin\ttwo\r\nlines",
    f"{WORD} 😀🦊 狐狸跑得很快",
    f"{WORD} ${{parameters.body}} ${{parameters.query}} <connector_id>",
    f'{{"{WORD}": 1}}',
    f"[{WORD}]",
    f'["{WORD}"]',
    f'"{WORD}"',
    f"{WORD} \u2028 \x01",
)


class ScriptedRescorer:
    """Draws a score for each text: always the same one for the same query and text."""

    revision = "scripted-1"
    info = RescorerInfo(model="scripted", calibration=Calibration(a=1.0, b=0.0))

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text."""
        return [Scored(score_of(request.query, text)) for text in request.texts]


def score_of(query: str, text: str) -> float:
    """Return the score of a text; which kind it is of, the query decides."""
    kind = KINDS[sum(query.encode()) % len(KINDS)]
    return kind(random.Random(f"{query}|{text}"))


def fill(client: OpenSearch) -> None:
    """Make the index: documents that every search finds, some with text that is awkward in JSON."""
    awkward = [f'{WORD} "quoted" \\ {{}} ${{parameters.body}}', f"{WORD} 😀\n狐狸 [1] \u2028"]
    texts = [f"{WORD} number {number}" + " more" * (number % 7) for number in range(DOCUMENTS - len(awkward))]
    client.indices.create(index=INDEX, body={"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
    for number, text in enumerate(texts + awkward):
        client.index(index=INDEX, id=str(number), body={"text": text})
    client.indices.refresh(index=INDEX)


def search(client: OpenSearch, query: str, **params: str) -> list[Mapping[str, Any]]:
    """Return the hits of a search by text."""
    body = {
        "query": {"match": {"text": query}},
        "size": DOCUMENTS,
        "ext": {"rerank": {"query_context": {"query_text_path": "query.match.text.query"}}},
    }
    if not params:
        del body["ext"]
    hits: list[Mapping[str, Any]] = client.search(index=INDEX, body=body, params=params)["hits"]["hits"]
    return hits


def check(client: OpenSearch, query: str) -> int:
    """Search once, see that the hits come in the order of their scores, and return how many there were."""
    found = search(client, query)
    hits = search(client, query, search_pipeline=PIPELINE)
    scores = {hit["_id"]: score_of(query, hit["_source"]["text"]) for hit in found}
    expected = sorted(scores, key=lambda doc_id: -scores[doc_id])
    assert [hit["_id"] for hit in hits] == expected, (query, scores)
    told = [struct.pack("f", hit["_score"]) for hit in hits]
    assert len(set(told)) == len(told), (query, "two hits have one score")
    return len(hits)


def queries(count: int, seed: int) -> Iterator[str]:
    """Yield queries: the awkward ones, then ordinary ones that all differ."""
    draw = random.Random(seed)
    yield from AWKWARD[:count]
    for number in range(count - len(AWKWARD)):
        yield f"{WORD} {draw.getrandbits(40):x} {number}"


@contextmanager
def provisioned(url: str, service: str, *more: str) -> Iterator[None]:
    """Make the search pipeline as a user does, and take it away afterwards."""
    call = ["provision", "opensearch", "--url", url, "--pipeline", PIPELINE]
    made = CliRunner().invoke(app, [*call, "--service", service, "--fields", "text", *more])
    assert made.exit_code == 0, made.output
    try:
        yield
    finally:
        assert CliRunner().invoke(app, [*call, "--undo"]).exit_code == 0


def run(url: str, searches: int, seed: int = 1) -> str:
    """Search so often, and return the figures in one line; an AssertionError or the client's own tells what failed."""
    client = OpenSearch(url, timeout=60, max_retries=0)
    fill(client)
    try:
        with serving(ScriptedRescorer) as served:
            wait_until_ready(served)
            with provisioned(url, served.url, "--on-failure", "error"):
                began, hits, scores = time.monotonic(), 0, set()
                for query in queries(searches, seed):
                    hits += check(client, query)
                    scores |= {score_of(query, hit["_source"]["text"]) for hit in search(client, query)}
                took = time.monotonic() - began
    finally:
        client.indices.delete(index=INDEX)
    saturated = sum(abs(score) > math.log(1e8) for score in scores)
    return (
        f"{searches} searches, {hits} hits, {len(scores)} different scores, {saturated} of them saturated: all in "
        f"order, no cast failed, {1e3 * took / searches:.1f} ms a search and its check"
    )


def main() -> None:
    """Run it on a server of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=2000)
    parser.add_argument("--version", default=DEFAULT_VERSION)
    parser.add_argument("--url", help="a server that runs already, with ml-commons")
    given = parser.parse_args()
    if given.url:
        sys.stdout.write(f"{run(given.url, given.searches)}\n")
        return
    with run_opensearch(Settings().home, version=given.version, with_ml=True) as server:
        sys.stdout.write(f"{run(server.url, given.searches)}\n")


if __name__ == "__main__":
    main()
