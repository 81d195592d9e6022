"""Indexes of passages on real servers: how they are searched, written again, swapped and listed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from prorank_ingest import run
from prorank_ingest.passages import PassageSize
from prorank_ingest.selection import open_source
from prorank_search.backends.engines import outdated, writer
from prorank_search.backends.engines.connection import Engine, Reply, Request, path
from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.errors import InputError
from prorank_search.passages import passage_of
from prorank_search.settings import Settings
from prorank_search.types import Document, Query, Ranking, SearchRequest, SourcePaths
from tests.engines import kills
from tests.engines.servers import Server

INDEX = "long-texts"
SIZE = PassageSize(tokens=5, overlap=0)
TEXTS = {
    "fox": "A fox runs. A fox barks. A fox sleeps. A fox eats eggs.",
    "hen": "A hen lays eggs. A hen pecks. A hen sleeps.",
    "owl": "An owl flies. An owl sleeps.",
}


@pytest.fixture(scope="module", params=["opensearch", "elasticsearch"])
def engine(request: pytest.FixtureRequest) -> Engine:
    server: Server = request.getfixturevalue(request.param)
    return connect(Settings(url=server.url))


@pytest.fixture
def backend(engine: Engine, tmp_path: Path) -> Iterator[EngineIndexes]:
    """The engine, whose indexes of these tests have three shards."""
    template = {"index_patterns": [f"{INDEX}*"], "template": {"settings": {"number_of_shards": 3}}, "priority": 901}
    engine.request("PUT", "/_index_template/long-texts", template)
    backend = EngineIndexes(engine, tmp_path)
    yield backend
    engine.request("DELETE", "/_index_template/long-texts")
    if backend.versions(INDEX):
        backend.delete(INDEX)


def ingest(
    backend: EngineIndexes, folder: Path, texts: Mapping[str, str], *, size: PassageSize | None = None, **more: object
) -> run.Report:
    source = str(kills.write_corpus(folder / "corpus.jsonl", texts))
    job = run.Job(source, INDEX, folder, analysis="standard", passages=size, **more)  # type: ignore[arg-type]
    return run.ingest(job, open_source(source, job.options), backend)


@pytest.fixture
def texts(backend: EngineIndexes, tmp_path: Path) -> EngineIndexes:
    """An engine with an index of passages."""
    ingest(backend, tmp_path, TEXTS, size=SIZE)
    return backend


def asked(text: str, **more: object) -> SearchRequest:
    return SearchRequest(INDEX, Query("", text), **more)  # type: ignore[arg-type]


def ids(ranking: Ranking) -> list[str]:
    return [hit.document.doc_id for hit in ranking.hits]


def counts(backend: EngineIndexes) -> tuple[int, int | None]:
    [info] = [info for info in backend.indexes() if info.name == INDEX]
    assert info.documents == backend.count(INDEX)
    return info.documents, info.passages


def stored(backend: EngineIndexes) -> list[str]:
    return [passage.doc_id for passage in backend.scan(INDEX)]


def test_documents_are_found_whichever_shards_their_passages_lie_on(texts: EngineIndexes) -> None:
    found = texts.search(asked("sleeps eggs", passages_per_hit=9, dfs=True))
    assert sorted(ids(found)) == ["fox", "hen", "owl"]
    parts = {hit.document.doc_id: {passage.text for passage in hit.passages} for hit in found.hits}
    assert parts["fox"] == {"A fox sleeps.", "A fox eats eggs."}
    assert parts["hen"] == {"A hen lays eggs.", "A hen sleeps."}
    assert counts(texts) == (3, 9)


def test_many_searches_find_what_each_alone_finds(texts: EngineIndexes) -> None:
    requests = [asked(text, passages_per_hit=2) for text in ("fox sleeps", "", "owl", "eggs")]
    alone = [texts.search(request) for request in requests]
    assert texts.search_many(requests) == alone
    assert [len(ranking.hits) for ranking in alone] == [3, 0, 1, 2]


def test_searches_for_several_passages_ask_once_more_for_all_of_them(texts: EngineIndexes) -> None:
    seen: list[int] = []

    class Counting:
        def send(self, request: Request) -> Reply:
            if request.path == "/_msearch":
                seen.append((request.body or b"").count(b"\n") // 2)
            return texts.engine.client.send(request)

    counting = EngineIndexes(dataclasses.replace(texts.engine, client=Counting()), Path())
    counting.search_many([asked("fox", top_k=100, passages_per_hit=2)] * 12)
    counting.search_many([asked("fox", top_k=100)] * 12)
    assert seen == [12, 12, 12]


def test_further_passages_are_those_that_a_query_body_of_ones_own_lets_through(texts: EngineIndexes) -> None:
    body = {
        "query": {"match": {"text": "{{query}}"}},
        "post_filter": {"bool": {"must_not": {"match": {"text": "barks"}}}},
        "aggs": {"documents": {"terms": {"field": "parent_id"}}},
    }
    [found] = texts.search(asked("fox", body=body, passages_per_hit=9)).hits
    assert {passage.text for passage in found.passages} == {"A fox runs.", "A fox sleeps.", "A fox eats eggs."}


def test_a_query_body_of_ones_own_finds_documents_too(texts: EngineIndexes) -> None:
    body = {"query": {"match": {"text": {"query": "{{query}}", "operator": "and"}}}}
    [found] = texts.search(asked("hen eggs", body=body, passages_per_hit=2)).hits
    assert (found.document.doc_id, found.document.text, len(found.passages)) == ("hen", "A hen lays eggs.", 1)


@pytest.mark.parametrize("name", ["collapse", "rescore"])
def test_a_query_body_that_cannot_be_used_with_passages_is_refused(texts: EngineIndexes, name: str) -> None:
    body = {"query": {"match": {"text": "{{query}}"}}, name: {}}
    with pytest.raises(InputError, match=f"has {name}, and the index holds passages"):
        texts.search(asked("hen", body=body))


def test_a_profile_that_says_where_the_text_stands_is_refused(texts: EngineIndexes) -> None:
    with pytest.raises(InputError, match="its profile needs no `source`"):
        texts.search(asked("hen", source=SourcePaths()))


def test_an_index_that_becomes_one_of_passages_or_of_whole_documents_is_searched_so_at_once(
    texts: EngineIndexes, tmp_path: Path
) -> None:
    long_running = EngineIndexes(texts.engine, tmp_path)
    request = asked("sleeps")
    assert sorted(ids(long_running.search(request))) == ["fox", "hen", "owl"]
    ingest(texts, tmp_path, TEXTS, replace=True)
    assert {hit.document.text for hit in long_running.search(request).hits} == set(TEXTS.values())
    assert counts(texts) == (3, None)
    texts.rollback(INDEX)
    assert {len(hit.passages) for ranking in long_running.search_many([request] * 2) for hit in ranking.hits} == {1}
    assert counts(texts) == (3, 9)


def test_what_left_the_source_leaves_the_index_with_all_its_passages(texts: EngineIndexes, tmp_path: Path) -> None:
    report = ingest(texts, tmp_path, {"owl": TEXTS["owl"]}, sync=True, max_deletes=1.0)
    assert (report.deleted, stored(texts)) == (2, ["owl#0", "owl#14"])


def passages(doc_id: str, count: int) -> list[Document]:
    whole = Document(doc_id, "It. " * count)
    return [passage_of(whole, start, start + 3) for start in range(0, 4 * count, 4)]


def write(backend: EngineIndexes, *steps: Sequence[Document] | str) -> None:
    """Add passages, delete the document of that id, commit at "commit"; then publish."""
    with backend.writer(INDEX, analysis="standard", replace=False, metadata=SIZE.to_metadata()) as opened:
        for step in steps:
            if step == "commit":
                opened.commit()
            elif isinstance(step, str):
                opened.delete([step])
            else:
                opened.add(step)
        opened.publish()


@pytest.mark.parametrize("between", [[], ["commit"], ["fox"], ["commit", "fox", "commit"]])
def test_the_last_text_of_a_document_counts_within_one_run_too(backend: EngineIndexes, between: list[str]) -> None:
    write(backend, passages("hen", 2), passages("fox", 5), *between, passages("fox", 2))
    assert stored(backend) == ["fox#0", "fox#4", "hen#0", "hen#4"]


def test_a_document_is_deleted_right_after_it_was_added(backend: EngineIndexes) -> None:
    write(backend, passages("hen", 1), passages("fox", 5), "fox")
    assert stored(backend) == ["hen#0"]


def test_many_documents_with_many_old_passages_are_replaced(
    backend: EngineIndexes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outdated, "_PAGE", 10)
    monkeypatch.setattr(writer, "PARENTS_AT_ONCE", 3)
    names = [f"fox {number}" for number in range(8)]
    write(backend, *(passages(name, 9) for name in names))
    write(backend, *(passages(name, 1) for name in names[1:]))
    expected = [*passages(names[0], 9), *(passages(name, 1)[0] for name in names[1:])]
    assert stored(backend) == sorted(passage.doc_id for passage in expected)


def test_a_document_that_is_cut_otherwise_is_never_counted_twice_meanwhile(backend: EngineIndexes) -> None:
    write(backend, passages("fox", 5))
    with backend.writer(INDEX, analysis="standard", replace=False, metadata=SIZE.to_metadata()) as opened:
        opened.add(passages("fox", 2))
        opened.commit()
        assert backend.count(INDEX) == 1
        opened.publish()
    assert counts(backend) == (1, 2)


def test_an_index_of_somebody_else_with_numbers_as_facts_is_listed(engine: Engine, texts: EngineIndexes) -> None:
    engine.request("PUT", path("numbers"), {"mappings": {"properties": {"facts": {"type": "long"}}}})
    try:
        engine.request("PUT", path("numbers", "_doc", "1"), {"facts": 7}, params={"refresh": True})
        listed = {info.name: (info.documents, info.passages) for info in texts.indexes()}
        assert (listed["numbers"], listed[INDEX]) == ((1, None), (3, 9))
    finally:
        engine.request("DELETE", path("numbers"))
