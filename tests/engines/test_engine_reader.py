"""An index of a real server as the source of an ingest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_ingest import run
from prorank_ingest.readers import engine as engine_reader
from prorank_search.backends.engines.analysis import plan
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.backends.engines.walk import PAGE
from prorank_search.backends.tantivy import open_backend
from prorank_search.cli import app
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, MeasuredReader, OpenReader, Reader, ReaderOptions
from prorank_search.settings import Settings
from prorank_search.testing import DOCUMENTS, ReaderContract
from prorank_search.types import Document
from tests.engines.indexes import GOODS, index_of, our_index, shop
from tests.engines.servers import Server

TEXTS = {"product.name": "text", "sections.body": "text"}


@pytest.fixture
def goods(engine: Engine) -> Iterator[str]:
    with shop(engine, "reader-goods") as name:
        yield name


def reader_of(source: str, settings: Settings, text: str | None = None, title: str | None = None) -> Reader:
    reader = engine_reader.open_reader(source, ReaderOptions(text_column=text, title_column=title, settings=settings))
    assert reader is not None
    return reader


class TestAnIndexOfOurs(ReaderContract):
    @pytest.fixture
    def open_reader(self) -> OpenReader:
        return engine_reader.open_reader

    @pytest.fixture
    def options(self) -> ReaderOptions:
        return ReaderOptions(settings=Settings())

    @pytest.fixture
    def source(self, engine: Engine, server: Server) -> Iterator[str]:
        with our_index(engine, "reader-animals", plan("english", smartcn=False), DOCUMENTS) as name:
            yield f"{server.url}/{name}"

    @pytest.fixture
    def change_source(self, engine: Engine) -> Callable[[], object]:
        return lambda: write(engine, "reader-animals", "fox", {"doc_id": "fox", "text": "Another one."})


class TestAnIndexOfSomebodyElse(ReaderContract):
    @pytest.fixture
    def open_reader(self) -> OpenReader:
        return engine_reader.open_reader

    @pytest.fixture
    def options(self) -> ReaderOptions:
        return ReaderOptions(text_column="sections.body", title_column="product.name", settings=Settings())

    @pytest.fixture
    def source(self, engine: Engine, server: Server, goods: str) -> str:
        write(engine, goods, "nothing", {"price": 7})
        return f"{server.url}/{goods}"

    @pytest.fixture
    def change_source(self, engine: Engine, goods: str) -> Callable[[], object]:
        return lambda: engine.request("DELETE", path(goods, "_doc", "S-1"), params={"refresh": True})


def write(engine: Engine, index: str, doc_id: str, source: dict[str, object]) -> None:
    engine.request("PUT", path(index, "_doc", doc_id), source, params={"refresh": True})


def test_an_index_of_ours_is_read_as_it_was_filled(engine: Engine, server: Server) -> None:
    with our_index(engine, "reader-ours", plan("english", smartcn=False), DOCUMENTS) as name:
        reader = reader_of(f"{server.url}/{name}", Settings())
        assert sorted(reader.read(), key=str) == sorted(DOCUMENTS, key=str)
        assert isinstance(reader, MeasuredReader)
        assert reader.extent() == (len(DOCUMENTS), len(DOCUMENTS), "records")


def test_nested_and_dotted_paths_become_title_and_text(server: Server, engine: Engine, goods: str) -> None:
    write(engine, goods, "empty", {"price": 7})
    found = list(reader_of(f"{server.url}/{goods}", Settings(), "sections.body", "product.name").read())
    lamp = next(each for each in found if isinstance(each, Document) and each.doc_id == "S-2")
    assert lamp.title == "Garden lamp"
    assert lamp.text.splitlines()[1] == "Goes out within two days in a box made of old paper."
    assert lamp.metadata == GOODS[1]
    (bad,) = (each for each in found if isinstance(each, BadRecord))
    assert bad.source == f"{server.url}/{goods}"
    assert bad.reason.startswith("neither title nor text")
    assert json.loads(bad.record) == {"_id": "empty", "title": "", "text": "", "metadata": {"price": 7}}


def test_an_index_whose_texts_nobody_named_says_which_fields_it_has(server: Server, goods: str) -> None:
    with pytest.raises(InputError, match=r"no field 'text', but .*sections\.body.*--text-column.*profile guess"):
        list(reader_of(f"{server.url}/{goods}", Settings()).read())


def test_an_index_that_is_made_anew_is_another_source(engine: Engine, server: Server) -> None:
    def fingerprint() -> str:
        with index_of(engine, "reader-anew", {}, [{"index": {"_id": "1"}}, {"text": "same"}]):
            return reader_of(f"{server.url}/reader-anew", Settings()).fingerprint()

    assert fingerprint() != fingerprint()


def test_an_index_is_ingested_through_its_profile_and_a_killed_run_goes_on_by_position(
    server: Server, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        row
        for number in range(PAGE + 500)
        for row in ({"index": {"_id": f"{number}"}}, {"page": {"body": f"number {number}"}, "sku": f"s{number}"})
    ]
    config = tmp_path / "prorank.toml"
    config.write_text('[profiles.reader-many]\nsource = { doc_id = "sku", text = "page.body" }\n', encoding="utf-8")
    settings = Settings(home=tmp_path, config=config)
    monkeypatch.setattr(run, "BATCH_RECORDS", 400)
    shards: dict[str, object] = {"settings": {"index.number_of_shards": 3}}
    with index_of(engine, "reader-many", shards, rows):
        source = f"{server.url}/reader-many"
        job = run.Job(source, "copy", tmp_path, analysis="standard")

        def give_up(step: run.Step) -> None:
            if step == "saved":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run.ingest(job, reader_of(source, settings), open_backend(settings), on_step=give_up)
        engine.request("POST", path("reader-many", "_forcemerge"), params={"max_num_segments": 1})
        report = run.ingest(job, reader_of(source, settings), open_backend(settings))
    assert (report.resumed_from, report.documents, report.duplicates) == (400, PAGE + 500, 0)
    copied = {document.doc_id: document.text for document in open_backend(settings).scan("copy")}
    assert copied == {f"s{number}": f"number {number}" for number in range(PAGE + 500)}


def test_the_command_copies_an_index_into_another_one_of_the_same_engine(
    server: Server, engine: Engine, goods: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRORANK_HOME", str(tmp_path))
    monkeypatch.setenv("PRORANK_URL", server.url)
    paths = ["--text-column", "sections.body", "--title-column", "product.name"]
    copied = CliRunner().invoke(app, ["ingest", f"{server.url}/{goods}", "--index", "reader-copy", *paths, "--json"])
    try:
        assert copied.exit_code == 0, copied.output
        assert json.loads(copied.stdout)["documents"] == len(GOODS)
        answer = engine.request("POST", path("reader-copy", "_search"), {"query": {"match": {"text": "outside"}}})
        assert [hit["_source"]["title"] for hit in answer["hits"]["hits"]] == ["Garden lamp"]
    finally:
        CliRunner().invoke(app, ["index", "delete", "reader-copy", "--yes"])
