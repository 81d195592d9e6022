"""An unmodified opensearch-py, and our own client of engines, against the embedded indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import opensearchpy
import pytest

from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import EngineError
from prorank_search.passages import passage_of
from prorank_search.protocols import SearchBackend
from prorank_search.search import search
from prorank_search.settings import Settings
from prorank_search.testing.backends import DOCUMENTS, SearchBackendContract
from prorank_search.types import Document, Query, SearchRequest
from tests.serving.embedded import make_index, serving_embedded

LONG = Document("long", "Whales sing. Owls hoot at night. Whales dive.", "Sounds", {"kind": "list"})
PARTS = [passage_of(LONG, 0, 12), passage_of(LONG, 13, 32), passage_of(LONG, 33, 45)]
SHORT = Document("short", "Nothing sings here.", "Silence")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_index(home, "animals", list(DOCUMENTS))
    make_index(home, "parts", [*PARTS, passage_of(SHORT, 0, 19)], passages=True)
    return home


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with serving_embedded(home) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> opensearchpy.OpenSearch:
    return opensearchpy.OpenSearch(url, timeout=60)


class TestOurClientOfEngines(SearchBackendContract):
    """`prorank search --url` in front of embedded indexes."""

    @pytest.fixture
    def backend(self, url: str) -> EngineIndexes:
        return EngineIndexes(connect(Settings(url=url)), Path("unused"))

    @pytest.fixture
    def index(self) -> str:
        return "animals"

    def test_an_index_is_listed_with_its_documents(self, backend: SearchBackend, index: str) -> None:
        """Our client asks an engine for aggregations, which embedded indexes do not answer."""
        assert index == "animals"
        with pytest.raises(EngineError, match="aggs: the embedded index does not answer it"):
            backend.indexes()

    def test_one_index_is_told_of_as_the_list_tells_of_it(self, backend: SearchBackend, index: str) -> None:
        """Neither here."""
        with pytest.raises(EngineError, match="the embedded index answers _search"):
            backend.published(index)

    def test_a_search_without_hits_is_an_answer_all_the_same(self, backend: SearchBackend, index: str) -> None:
        """Though why there are none cannot be found out."""
        assert search("zebra", index=index, backend=backend).hits == ()


def test_it_answers_as_opensearch(client: opensearchpy.OpenSearch) -> None:
    assert client.info()["version"]["distribution"] == "opensearch"
    assert client.ping()
    assert client.cluster.health()["status"] == "green"


def test_the_score_of_a_match_is_the_one_of_the_backend_itself(client: opensearchpy.OpenSearch, home: Path) -> None:
    found = client.search(index="animals", body={"query": {"match": {"text": "animal mice"}}})["hits"]
    asked = SearchRequest("animals", Query("", "animal mice"), fields={"text": 1.0})
    ranking = TantivyBackend(home / "indexes").search(asked)
    assert [(hit["_id"], hit["_score"]) for hit in found["hits"]] == [
        (hit.document.doc_id, hit.score) for hit in ranking.hits
    ]
    assert found["total"] == {"value": 4, "relation": "eq"}
    assert found["max_score"] == ranking.hits[0].score


def test_a_hit_has_what_was_asked_for(client: opensearchpy.OpenSearch) -> None:
    body = {
        "query": {"bool": {"must": {"match": {"text": "animal"}}, "filter": {"term": {"metadata.year": 2021}}}},
        "_source": ["title", "metadata.k*"],
        "highlight": {"fields": {"text": {}}, "pre_tags": ["<b>"], "post_tags": ["</b>"]},
    }
    (hit,) = client.search(index="animals", body=body)["hits"]["hits"]
    assert hit["_id"] == "whale"
    assert hit["_source"] == {"title": "Whales", "metadata": {"kind": "mammal"}}
    assert hit["highlight"] == {"text": ["The largest <b>animal</b> that ever lived swims in the sea."]}


def test_the_query_string_goes_before_the_body(client: opensearchpy.OpenSearch) -> None:
    answer = client.search(
        index="animals", body={"size": 3}, params={"size": 1, "_source": "false", "track_total_hits": "false"}
    )
    assert answer["hits"]["hits"] == [{"_index": "animals", "_id": "fox", "_score": 1.0}]
    assert "total" not in answer["hits"]
    only_ids = client.search(index="anim*", params={"filter_path": "hits.hits._id", "size": 2})
    assert only_ids == {"hits": {"hits": [{"_id": "fox"}, {"_id": "whale"}]}}


def test_pages_follow_each_other(client: opensearchpy.OpenSearch) -> None:
    query = {"match": {"text": "animal"}}
    pages = [client.search(index="animals", body={"query": query, "from": at, "size": 1}) for at in range(4)]
    assert [[hit["_id"] for hit in page["hits"]["hits"]] for page in pages] == [["whale"], ["fox"], ["owl"], []]


def test_hits_below_a_score_are_neither_shown_nor_counted(client: opensearchpy.OpenSearch) -> None:
    query = {"match": {"text": "animal mice"}}
    scores = [hit["_score"] for hit in client.search(index="animals", body={"query": query})["hits"]["hits"]]
    found = client.search(index="animals", body={"query": query, "min_score": scores[1], "size": 1})["hits"]
    assert len(found["hits"]) == 1
    assert found["total"] == {"value": 2, "relation": "eq"}


def test_many_searches_in_one_request_fail_one_by_one(client: opensearchpy.OpenSearch) -> None:
    rows: list[object] = [{}, {"size": 1}, {"index": "nowhere"}, {}, {}, {"query": {"fuzzy": {}}}]
    found = client.msearch(index="animals", body=rows)["responses"]
    assert [each["status"] for each in found] == [200, 404, 400]
    assert found[1]["error"]["type"] == "index_not_found_exception"
    assert "query.fuzzy" in found[2]["error"]["reason"]


def test_documents_are_counted_and_fetched_by_id(client: opensearchpy.OpenSearch) -> None:
    assert client.count(index="animals", body={"query": {"match": {"text": "mice"}}})["count"] == 2
    assert client.get(index="animals", id="owl")["_source"]["title"] == "Owls"
    assert client.exists(index="animals", id="owl")
    assert not client.exists(index="animals", id="owls")
    assert client.get_source(index="animals", id="owl", params={"_source_includes": "title"}) == {"title": "Owls"}
    with pytest.raises(opensearchpy.NotFoundError):
        client.get(index="animals", id="owls")
    asked = {"docs": [{"_id": "fox", "_source": False}, {"_id": "no"}, {"_id": "fox", "_index": "nowhere"}]}
    fox, missing, nowhere = client.mget(index="animals", body=asked)["docs"]
    assert fox["found"]
    assert "_source" not in fox
    assert not missing["found"]
    assert nowhere["error"]["type"] == "index_not_found_exception"


def test_indexes_are_listed_and_described(client: opensearchpy.OpenSearch) -> None:
    rows = client.cat.indices(format="json")
    assert [(row["index"], row["docs.count"]) for row in rows] == [("animals", "4"), ("parts", "2")]
    assert client.cat.indices(index="animals", h="index,docs.count") == "animals 4\n"
    assert client.indices.exists(index="animals")
    assert not client.indices.exists(index="nowhere")
    mapping = client.indices.get_mapping(index="animals")["animals"]["mappings"]
    assert mapping["properties"]["text"] == {"type": "text", "analyzer": "english"}
    assert client.indices.get_alias(index="animals") == {"animals": {"aliases": {}}}
    assert client.indices.get_settings(index="animals")["animals"]["settings"]["index"]["number_of_shards"] == "1"
    assert client.indices.get(index="*").keys() == {"animals", "parts"}


def test_of_passages_a_hit_is_the_document_once(client: opensearchpy.OpenSearch) -> None:
    found = client.search(index="parts", body={"query": {"match": {"text": "whales night sing"}}})["hits"]
    assert [hit["_id"] for hit in found["hits"]] == ["long", "short"]
    assert found["hits"][0]["_source"]["passage_offsets"] == [0, 12]
    assert found["total"] == {"value": 2, "relation": "eq"}
    assert client.get(index="parts", id="long")["_source"]["text"] == LONG.text
    assert client.get(index="parts", id="long#13")["_source"]["parent_id"] == "long"
    assert client.count(index="parts", body={"query": {"ids": {"values": ["long", "no"]}}})["count"] == 1


def test_faults_are_those_of_opensearch(client: opensearchpy.OpenSearch) -> None:
    with pytest.raises(opensearchpy.NotFoundError) as missing:
        client.search(index="nowhere")
    assert missing.value.error == "index_not_found_exception"
    with pytest.raises(opensearchpy.RequestError, match=r"query.bool.must\[0\].mach: .*did you mean 'match'"):
        client.search(index="animals", body={"query": {"bool": {"must": [{"mach": {}}]}}})
    with pytest.raises(opensearchpy.RequestError, match=r"unrecognized parameter \[explain\]"):
        client.search(index="animals", params={"explain": "true"})
    with pytest.raises(opensearchpy.RequestError, match=r"no handler found for uri \[/_nodes"):
        client.nodes.info()
    with pytest.raises(opensearchpy.RequestError, match="2 indexes are asked for"):
        client.search()


def test_writes_are_refused(client: opensearchpy.OpenSearch) -> None:
    writes: tuple[Callable[[], object], ...] = (
        lambda: client.index(index="animals", id="x", body={"text": "new"}),
        lambda: client.delete(index="animals", id="fox"),
        lambda: client.indices.delete(index="animals"),
        lambda: client.indices.create(index="new"),
        lambda: client.bulk(body=[{"delete": {"_index": "animals", "_id": "fox"}}]),
    )
    for write in writes:
        with pytest.raises(opensearchpy.AuthorizationException, match="cluster_block_exception"):
            write()
    with pytest.raises(opensearchpy.TransportError) as wrong:
        client.transport.perform_request("PUT", "/animals/_search")
    assert wrong.value.status_code == 405
    assert client.count(index="animals")["count"] == 4
