"""The search side of both engines, on real servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.backends.engines.analysis import analysis_for, plan, source_of
from prorank_search.backends.engines.connection import Client, Engine, Reply, Request, path
from prorank_search.backends.engines.guess import SAMPLE, guess
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.backends.engines.search import EngineSearch
from prorank_search.backends.engines.walk import PAGE, documents
from prorank_search.cli import app
from prorank_search.errors import BackendError, EngineError, IndexNotFoundError, InputError
from prorank_search.testing.backends import DOCUMENTS, SearchBackendContract
from prorank_search.types import Document, Query, Ranking, SearchRequest, SourcePaths
from tests.engines.indexes import GOODS, our_index, shop
from tests.engines.servers import Server

PATHS = SourcePaths(doc_id="sku", title="product.name", text="sections.body")


@pytest.fixture(scope="module")
def animals(engine: Engine) -> Iterator[str]:
    with our_index(engine, "search-animals", plan("english", smartcn=False), DOCUMENTS) as name:
        yield name


@pytest.fixture(scope="module")
def goods(engine: Engine) -> Iterator[str]:
    with shop(engine, "search-goods") as name:
        yield name


@pytest.fixture
def backend(engine: Engine) -> EngineSearch:
    return EngineSearch(engine)


class TestSearchOnEngines(SearchBackendContract):
    @pytest.fixture
    def backend(self, engine: Engine) -> EngineSearch:
        return EngineSearch(engine)

    @pytest.fixture
    def index(self, animals: str) -> str:
        return animals


def ids(ranking: Ranking) -> list[str]:
    return [hit.document.doc_id for hit in ranking.hits]


def asked(index: str, text: str, **more: object) -> SearchRequest:
    return SearchRequest(index, Query("", text), **more)  # type: ignore[arg-type]


def test_scores_are_bm25_of_each_field_summed(backend: EngineSearch, animals: str) -> None:
    both, title, text = (
        backend.search(asked(animals, "owl animal", fields=fields)).hits[0].score
        for fields in (None, {"title": 1.0}, {"text": 1.0})
    )
    owl = asked(animals, "owl animal", fields={"text": 1.0})
    in_text = {hit.document.doc_id: hit.score for hit in backend.search(owl).hits}["owl"]
    assert both == pytest.approx(title + in_text)
    assert text > 0


def test_boosts_multiply(backend: EngineSearch, animals: str) -> None:
    once, twice = (
        backend.search(asked(animals, "whale", fields={"title": boost})).hits[0].score for boost in (1.0, 2.0)
    )
    assert twice == pytest.approx(2 * once)


def test_scores_over_all_shards_can_be_asked_for(backend: EngineSearch, animals: str) -> None:
    assert ids(backend.search(asked(animals, "lazy dog", dfs=True))) == ["fox"]
    assert ids(backend.search_many([asked(animals, "lazy dog", dfs=True)])[0]) == ["fox"]


def test_a_query_body_of_ones_own_takes_the_text_as_it_is(backend: EngineSearch, animals: str) -> None:
    body = {"query": {"match_phrase": {"text": "{{query}}"}}, "min_score": 0.0001}
    assert ids(backend.search(asked(animals, "lazy dog", body=body))) == ["fox"]
    assert ids(backend.search(asked(animals, 'dog", "lazy', body=body))) == []
    assert ids(backend.search(asked(animals, "animal", body=body["query"], filter={"kind": "bird"}))) == ["owl"]
    (marked,) = backend.highlights(asked(animals, "lazy dog", body=body), DOCUMENTS[:1])
    assert " ".join(marked) == "lazy dog"  # one engine marks the phrase, the other its words


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"match": {"text": "dog"}}, "has no {{query}}"),
        ({"query": {"match": {"text": "{{query}}"}}, "sort": ["doc_id"]}, "has sort: leave that to us"),
        ({"mach": {"text": "{{query}}"}}, r"400 \w+ to POST /search-animals/_search: .*\[mach\]"),
    ],
)
def test_a_query_body_that_cannot_be_used_is_told(
    backend: EngineSearch, animals: str, body: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        backend.search(asked(animals, "dog", body=body))


def test_a_field_that_does_not_exist_is_told_with_those_that_do(backend: EngineSearch, animals: str) -> None:
    with pytest.raises(InputError, match=r"no field 'titel'; it has: .*\btitle\b"):
        backend.search(asked(animals, "dog", fields={"titel": 1.0}))


def test_more_hits_than_an_engine_gives_are_told(backend: EngineSearch, animals: str) -> None:
    with pytest.raises(InputError, match="10000"):
        backend.search(asked(animals, "dog", top_k=20_000))


def test_one_unanswerable_search_among_many_is_told(backend: EngineSearch, animals: str) -> None:
    requests = [asked(animals, "dog"), asked("search-nowhere", "dog")]
    with pytest.raises(IndexNotFoundError, match="search-nowhere"):
        backend.search_many(requests)


def test_an_index_whose_shards_are_away_is_an_error_and_no_empty_answer(engine: Engine) -> None:
    red = {"settings": {"index.routing.allocation.require.box": "nowhere"}}
    engine.request("PUT", path("search-red"), red, params={"wait_for_active_shards": 0})
    try:
        engine.request("PUT", path("search-red", "_mapping"), {"properties": {"text": {"type": "text"}}})
        for searched in (EngineSearch(engine).search, lambda request: EngineSearch(engine).search_many([request])):
            with pytest.raises(EngineError, match=r"503 .*whether it is red"):
                searched(asked("search-red", "dog"))
    finally:
        engine.request("DELETE", path("search-red"))


def test_every_document_is_walked_over_page_by_page_as_it_was(engine: Engine) -> None:
    many = [Document(f"{number:05}", f"Number {number}", metadata={"number": number}) for number in range(PAGE + 5)]
    with our_index(engine, "search-many", plan("standard", smartcn=False), many) as name:
        walked = EngineSearch(engine).scan(name)
        first = next(walked)
        engine.request("POST", path(name, "_bulk"), [{"delete": {"_id": "00900"}}], params={"refresh": True})
        assert sorted([first, *walked], key=lambda each: each.doc_id) == many
        assert EngineSearch(engine).count(name) == len(many) - 1


def test_code_is_found_by_names_and_their_parts(engine: Engine) -> None:
    documents = [
        Document("a", "os.path.getFileSize(x)"),
        Document("b", "def read_csv_lines(): ..."),
        Document("c", "-"),
    ]
    with our_index(engine, "search-code", analysis_for(engine, "code"), documents) as name:
        backend = EngineSearch(engine)
        for text in ("file size", "getFileSize", "os.path.getFileSize", "getting sizes"):
            assert ids(backend.search(asked(name, text))) == ["a"], text
        assert ids(backend.search(asked(name, "reading csv"))) == ["b"]
        exact, parts = (backend.search(asked(name, text)).hits[0].score for text in ("read_csv_lines", "csv lines"))
        assert exact > parts


def test_chinese_is_found_and_what_the_engine_lacks_is_said(engine: Engine) -> None:
    analysis = analysis_for(engine, "chinese")
    with our_index(
        engine, "search-chinese", analysis, [Document("a", "我在北京大学学习"), Document("b", "猫")]
    ) as name:
        assert ids(EngineSearch(engine).search(asked(name, "北京"))) == ["a"]
    assert "smartcn" in analysis.notice or analysis.analyzers["text"] == "smartcn"


def test_a_field_may_have_an_analysis_of_its_own(engine: Engine) -> None:
    analysis = analysis_for(engine, "english,title=standard")
    with our_index(engine, "search-own", analysis, [Document("a", "running", title="running")]) as name:
        found = [len(EngineSearch(engine).search(asked(name, "runs", fields={f: 1.0})).hits) for f in ("title", "text")]
    assert found == [0, 1]


def test_an_index_of_somebody_else_is_searched_by_its_paths(backend: EngineSearch, goods: str) -> None:
    fields = {"product.name": 2.0, "sections.body": 1.0}
    (lamp,) = backend.search(asked(goods, "outside", fields=fields, source=PATHS)).hits
    assert (lamp.document.doc_id, lamp.document.title) == ("S-2", "Garden lamp")
    assert lamp.document.text.splitlines()[0] == "Lights up everything that grows outside at night."
    assert lamp.document.metadata == GOODS[1]


@pytest.mark.parametrize("wanted", [{"brand": "Acme Ltd"}, {"price": [20, 21]}, {"sku": "S-1"}])
def test_an_index_of_somebody_else_is_filtered_by_whole_values(
    backend: EngineSearch, goods: str, wanted: dict[str, object]
) -> None:
    request = asked(goods, "paper", fields={"sections.body": 1.0}, source=PATHS, filter=wanted)
    assert ids(backend.search(request)) == ["S-1"]


def test_highlights_of_somebody_elses_index_go_by_its_ids(backend: EngineSearch, goods: str) -> None:
    request = asked(goods, "garden", fields={"product.name": 1.0}, source=PATHS)
    documents = [Document("S-1", ""), Document("S-2", "")]
    assert backend.highlights(request, documents) == [(), ("Garden",)]


@pytest.mark.parametrize(
    ("fields", "source", "message"),
    [
        (None, None, "prorank profile guess search-goods"),
        ({"product.name": 1.0}, None, "no text at|has a text at 'text'; the first one has: .*sections"),
        ({"product.nam": 1.0}, PATHS, "no field 'product.nam'"),
    ],
)
def test_what_a_profile_lacks_is_told(
    backend: EngineSearch, goods: str, fields: dict[str, float] | None, source: SourcePaths | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        backend.search(asked(goods, "lamp", fields=fields, source=source))


def test_a_profile_is_guessed_from_mapping_and_sample(backend: EngineSearch, goods: str) -> None:
    guessed = guess(backend.mapping(goods), backend.sample(goods, SAMPLE))
    assert guessed.source == SourcePaths(title="product.name", text="sections.body")
    assert set(guessed.fields) == {"product.name", "sections.body"}


def test_somebody_elses_index_is_searched_and_compared_and_stays_as_it_is(
    server: Server, engine: Engine, goods: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def present() -> list[str]:
        return [
            json.dumps(engine.request("GET", path(goods, what)), sort_keys=True) for what in ("_mapping", "_settings")
        ]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_URL", server.url)
    before = present()
    for command in (
        ["profile", "guess", goods, "--write"],
        ["search", "lights outside", "--index", goods, "--no-rescore", "--json"],
        ["compare", "lights outside", "--index", goods, "--rescorer", "overlap", "--json"],
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["first_stage"]
    assert present() == before


READS = re.compile(
    r"GET /(_cat/indices|_mapping|_alias|[\w-]+/_(mapping|count))?$"
    r"|POST /(_msearch|_search|[\w-]+/_(search|pit|search/point_in_time))$"
    r"|DELETE /(_pit|_search/point_in_time)$"
)


@dataclass
class Watched:
    """A client that remembers what it was asked to send."""

    client: Client
    sent: list[str]

    def send(self, request: Request) -> Reply:
        self.sent.append(f"{request.method} {request.path}")
        return self.client.send(request)


def test_the_search_side_sends_nothing_but_reads(engine: Engine, goods: str) -> None:
    watched = Watched(engine.client, [])
    backend = EngineSearch(replace(engine, client=watched))
    request = asked(goods, "garden", fields={"product.name": 1.0}, source=PATHS)
    hits = backend.search(request).hits
    backend.search_many([request, request])
    backend.highlights(request, [hit.document for hit in hits])
    assert len(list(documents(backend.engine, backend.mapping(goods), PATHS))) == backend.count(goods) == len(GOODS)
    backend.indexes()
    backend.sample(goods, SAMPLE)
    assert len(watched.sent) > 10
    assert [sent for sent in watched.sent if not READS.match(sent)] == []


def test_indexes_of_others_are_listed_with_documents_not_nested_objects(backend: EngineSearch, goods: str) -> None:
    listed = {info.name: info for info in backend.indexes()}
    assert (listed[goods].documents, listed[goods].analysis) == (len(GOODS), "not ours")


def test_an_index_that_was_adopted_has_documents_of_both_kinds(engine: Engine, tmp_path: Path) -> None:
    whale = DOCUMENTS[1]
    backend = EngineIndexes(engine, tmp_path)
    engine.request("PUT", path("search-adopted"), {"mappings": {"properties": {"text": {"type": "text"}}}})
    try:
        backend.adopt("search-adopted")
        rows: list[dict[str, object]] = [
            {"index": {"_id": "old"}},
            {"text": "an old sea"},
            {"index": {"_id": "whale"}},
            source_of(whale),
        ]
        engine.request("POST", path("search-adopted", "_bulk"), rows, params={"refresh": True})
        found = {hit.document.doc_id: hit.document for hit in backend.search(asked("search-adopted", "sea")).hits}
    finally:
        engine.request("DELETE", path("search-adopted"))
    assert found == {"whale": whale, "old": Document("old", "an old sea")}


def test_an_index_of_another_release_is_told(engine: Engine) -> None:
    engine.request("PUT", path("search-future"), {"mappings": {"_meta": {"prorank": {"format": 99}}}})
    try:
        with pytest.raises(BackendError, match="format 99"):
            EngineSearch(engine).search(asked("search-future", "dog"))
    finally:
        engine.request("DELETE", path("search-future"))
