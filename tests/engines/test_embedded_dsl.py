"""The embedded indexes against a real OpenSearch: the same bodies over the same documents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from prorank_search.backends.engines.connection import Engine, Request, path
from prorank_search.backends.engines.detection import connect
from prorank_search.serving.embedded_upstream import EmbeddedUpstream
from prorank_search.serving.upstream import EngineRequest
from prorank_search.settings import Settings
from prorank_search.stored_documents import to_source
from prorank_search.types import Document
from tests.engines.servers import Server
from tests.serving.embedded import make_index

SUBJECTS = ("fox", "whale", "owl", "mouse", "river", "night")
VERBS = ("hunts", "follows", "sees", "crosses")
PLACES = ("in the dark forest", "over frozen ground", "near an old stone bridge at night", "under the ice")
DOCUMENTS = [
    Document(
        f"d{number}",
        f"The {subject} {VERBS[number % 4]} another {SUBJECTS[(number * 5 + 2) % 6]} {PLACES[number // 3 % 4]}"
        f"{' and rests' * (number % 5)}. {'Snow falls. ' * (number % 3)}",
        title=f"{subject} {number % 7} {PLACES[number % 4].split()[-1]}",
        metadata={"kind": "bird" if subject == "owl" else "other", "year": 2000 + number % 10, "open": number % 2 == 0},
    )
    for number, subject in ((number, SUBJECTS[number % 6]) for number in range(60))
]
MAPPINGS = {
    "properties": {
        **{name: {"type": "text", "analyzer": "english"} for name in ("title", "text")},
        "doc_id": {"type": "keyword"},
        "metadata": {
            "properties": {"kind": {"type": "keyword"}, "year": {"type": "integer"}, "open": {"type": "boolean"}}
        },
    }
}
NIGHT = {"match": {"text": "night"}}
ICE = {"match": {"text": "ice"}}
OLD = {"range": {"metadata.year": {"lt": 2004}}}

SAME: dict[str, Any] = {
    "match_all": {"match_all": {}},
    "match": {"match": {"text": "foxes hunting at night"}},
    "match twice the word": {"match": {"text": "night night owl"}},
    "match and": {"match": {"text": {"query": "fox night", "operator": "and"}}},
    "match at least two": {"match": {"text": {"query": "fox night ice rests", "minimum_should_match": 2}}},
    "match most": {"match": {"text": {"query": "fox night ice rests", "minimum_should_match": "-40%"}}},
    "match a share": {"match": {"text": {"query": "fox night ice", "minimum_should_match": "70%"}}},
    "match more than there are": {"match": {"text": {"query": "fox night", "minimum_should_match": 5}}},
    "match one of one": {"match": {"text": {"query": "fox", "minimum_should_match": 3}}},
    "match stop words": {"match": {"text": "the and"}},
    "match boosted": {"match": {"text": {"query": "owl", "boost": 2.5}}},
    "best_fields": {"multi_match": {"query": "owl night bridge", "fields": ["title^2", "text"]}},
    "best_fields with a tie breaker": {
        "multi_match": {"query": "owl night", "fields": ["title", "text"], "tie_breaker": 0.4}
    },
    "most_fields": {"multi_match": {"query": "owl night", "fields": ["title", "text^0.5"], "type": "most_fields"}},
    "bool": {"bool": {"must": [{"match": {"text": "owl"}}], "should": [NIGHT, ICE], "filter": [OLD]}},
    "bool of filters": {"bool": {"filter": [OLD, {"term": {"metadata.kind": "bird"}}]}},
    "bool of refusals": {"bool": {"must_not": [OLD, NIGHT]}},
    "bool of nothing": {"bool": {}},
    "bool of alternatives": {"bool": {"should": [NIGHT, ICE], "must_not": OLD}},
    "bool of alternatives and a filter": {"bool": {"should": [NIGHT, ICE], "filter": OLD}},
    "bool at least two": {"bool": {"should": [NIGHT, ICE, {"match": {"title": "owl"}}], "minimum_should_match": 2}},
    "bool at least half": {
        "bool": {"should": [NIGHT, ICE, OLD], "must": {"match": {"text": "owl"}}, "minimum_should_match": "67%"}
    },
    "bool none of none": {"bool": {"filter": OLD, "minimum_should_match": 1}},
    "bool none at least": {"bool": {"should": [NIGHT], "minimum_should_match": 0}},
    "bool boosted": {"bool": {"must": [NIGHT], "boost": 3}},
    "term of a text": {"term": {"text": "night"}},
    "term not analysed": {"term": {"text": "Night"}},
    "term of a number": {"term": {"metadata.year": 2003}},
    "term of a number with a point": {"term": {"metadata.year": 2003.0}},
    "term of a flag": {"bool": {"filter": {"term": {"metadata.open": True}}}},
    "terms": {"terms": {"metadata.year": [2001, 2002], "boost": 2}},
    "terms of keywords": {"terms": {"metadata.kind": ["bird", "fish"]}},
    "terms of a text": {"terms": {"text": ["night", "owl"]}},
    "range": {"range": {"metadata.year": {"gt": 2002, "lte": 2005, "boost": 0.5}}},
    "range of a text": {"bool": {"filter": {"range": {"metadata.year": {"gte": "2008"}}}}},
    "range without bounds": {"bool": {"filter": {"range": {"metadata.year": {}}}}},
    "ids": {"ids": {"values": ["d7", "d1", "d100"]}},
    "term of an id": {"term": {"_id": "d3"}},
    "match of a number": {"match": {"metadata.year": "2004"}},
    "inside each other": {
        "bool": {
            "must": {"bool": {"should": [{"match": {"title": "owl"}}, {"match": {"title": "fox"}}], "boost": 2}},
            "must_not": {"bool": {"must": [OLD, NIGHT]}},
        }
    },
}


@pytest.fixture(scope="module")
def engine(opensearch: Server) -> Iterator[Engine]:
    engine = connect(Settings(url=opensearch.url))
    # From 3.0 on OpenSearch's own BM25 leaves out the factor k1 + 1, which changes no order.
    similarity = {"default": {"type": "BM25" if engine.version.startswith("2.") else "LegacyBM25"}}
    settings = {"index": {"number_of_shards": 1, "similarity": similarity}}
    engine.request("PUT", path("embedded-dsl"), {"settings": settings, "mappings": MAPPINGS})
    rows = [row for each in DOCUMENTS for row in ({"index": {"_id": each.doc_id}}, to_source(each))]
    answer = engine.request("POST", path("embedded-dsl", "_bulk"), rows, params={"refresh": True})
    assert not answer["errors"], answer
    yield engine
    engine.request("DELETE", path("embedded-dsl"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("embedded")
    make_index(home, "embedded-dsl", DOCUMENTS)
    return home


def embedded(home: Path, body: object, endpoint: str = "_search") -> Any:  # noqa: ANN401 (JSON)
    async def send() -> bytes:
        upstream = EmbeddedUpstream(Settings(home=home))
        request = EngineRequest("POST", f"/embedded-dsl/{endpoint}", body=json.dumps(body).encode())
        answer = await upstream.send(request)
        await upstream.close()
        return answer.body

    return json.loads(asyncio.run(send()))


def real(engine: Engine, body: Mapping[str, object], endpoint: str = "_search") -> Any:  # noqa: ANN401 (JSON)
    return engine.request("POST", path("embedded-dsl", endpoint), body)


def in_order(answer: Any) -> list[tuple[str, float]]:  # noqa: ANN401 (JSON)
    """Return ids and scores; hits that 32-bit sums put in another order have the same score here."""
    hits = [(hit["_id"], round(hit["_score"], 4)) for hit in answer["hits"]["hits"]]
    return sorted(hits, key=lambda hit: (-hit[1], int(hit[0][1:])))


@pytest.mark.parametrize("query", SAME.values(), ids=SAME.keys())
def test_the_same_query_finds_the_same_with_the_same_scores(engine: Engine, home: Path, query: object) -> None:
    body = {"query": query, "size": 60}
    theirs, ours = real(engine, body), embedded(home, body)
    assert [doc_id for doc_id, _ in in_order(ours)] == [doc_id for doc_id, _ in in_order(theirs)]
    assert [score for _, score in in_order(ours)] == pytest.approx([score for _, score in in_order(theirs)], rel=1e-3)
    assert ours["hits"]["total"] == theirs["hits"]["total"]
    best = [answer["hits"]["max_score"] or 0.0 for answer in (ours, theirs)]
    assert best[0] == pytest.approx(best[1], rel=1e-3)
    counted = [
        each["count"] for each in (embedded(home, {"query": query}, "_count"), real(engine, {"query": query}, "_count"))
    ]
    assert counted[0] == counted[1]


@pytest.mark.parametrize(
    "more",
    [
        {"from": 5, "size": 3},
        {"size": 0},
        {"size": 2, "track_total_hits": 7},
        {"size": 2, "track_total_hits": False},
        {"min_score": 1.2},
        {"sort": ["_score"], "size": 4},
        {"_source": False, "size": 1},
        {"_source": ["title", "metadata.k*"], "size": 2},
        {"_source": {"includes": ["meta*", "*_id"], "excludes": ["*.year"]}, "size": 2},
        {"highlight": {"fields": {"text": {"number_of_fragments": 0}, "title": {}}}, "size": 3},
        {"highlight": {"fields": {"t*": {}}, "pre_tags": ["<b>"], "post_tags": ["</b>"], "require_field_match": False}},
        {"highlight": {"fields": {"text": {"highlight_query": ICE, "number_of_fragments": 0}}}},
    ],
    ids=str,
)
def test_the_rest_of_a_body_means_the_same(engine: Engine, home: Path, more: dict[str, object]) -> None:
    body = {"query": {"match": {"text": "ice owl"}}, **more}
    theirs, ours = real(engine, body), embedded(home, body)
    for answer in (theirs, ours):
        del answer["took"]
        for part in (answer["hits"], *answer["hits"]["hits"]):
            for key in {"_score", "max_score"} & set(part):
                part[key] = round(part[key], 3) if part[key] is not None else None
    assert ours["hits"].pop("hits") == theirs["hits"].pop("hits")
    assert ours == theirs


@pytest.mark.parametrize("body", [{"querry": {}}, {"size": -1}, {"query": {"mach": {"text": "a"}}}])
def test_a_fault_has_the_same_shape(engine: Engine, home: Path, body: object) -> None:
    sent = Request("POST", "/embedded-dsl/_search", {}, json.dumps(body).encode(), "application/json", 30)
    theirs, ours = engine.client.send(sent).body, embedded(home, body)
    assert ours["status"] == theirs["status"] == 400
    assert ours.keys() == theirs.keys()
    assert set(ours["error"]) <= set(theirs["error"])
    assert set(ours["error"]["root_cause"][0]) <= set(theirs["error"]["root_cause"][0])
