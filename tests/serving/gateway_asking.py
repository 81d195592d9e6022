"""What the gateway's tests ask, of an engine that finds the same six hits each time."""

from __future__ import annotations

from typing import Any

import httpx

from tests.serving.live import Served

TEXTS = {
    "a": "a hen",
    "b": "a fox",
    "c": "an owl",
    "d": "a red fox",
    "e": "a whale",
    "f": "secret words",
}
QUERY = {"query": {"match": {"text": "red fox"}}}
RESCORED: dict[str, Any] = {**QUERY, "rescore": {"window_size": 4, "prorank": {}}}
BEST_FIRST = ["d", "b", "a", "c", "e", "f"]


def search(served: Served, body: object = None, path: str = "/books/_search", **more: Any) -> httpx.Response:  # noqa: ANN401
    return served.http.post(path, json=RESCORED if body is None else body, **more)


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [hit["_id"] for hit in response.json()["hits"]["hits"]]


def with_prorank(**block: object) -> dict[str, Any]:
    return {**QUERY, "rescore": {"window_size": 4, "prorank": block}}
