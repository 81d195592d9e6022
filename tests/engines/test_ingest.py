"""An ingest into a real server: killed, spoiled, into a live index, into somebody else's."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from prorank_ingest import run
from prorank_ingest.dry_run import preview
from prorank_ingest.passages import PassageSize
from prorank_ingest.selection import open_source
from prorank_search.backends.engines import versions, writer
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.errors import BackendError, InputError
from prorank_search.protocols import ReaderOptions
from prorank_search.settings import Settings
from prorank_search.types import Query, SearchRequest
from tests.engines import kills, server_kills
from tests.engines.killed_ingest import SIZE
from tests.engines.servers import Server
from tests.engines.spoiled_requests import spoiled_ingest

INDEX = "live-ingest"


@pytest.fixture
def engine(opensearch: Server) -> Engine:
    return connect(Settings(url=opensearch.url))


@pytest.fixture
def backend(engine: Engine, tmp_path: Path) -> Iterator[EngineIndexes]:
    backend = EngineIndexes(engine, tmp_path)
    for name in engine.request("GET", path(f"{INDEX}*"), params={"ignore_unavailable": True}):
        engine.request("DELETE", path(name))
    yield backend
    for name in engine.request("GET", path(f"{INDEX}*"), params={"ignore_unavailable": True}):
        engine.request("DELETE", path(name))


def ingest(backend: EngineIndexes, folder: Path, texts: Mapping[str, str], *, replace: bool = False) -> run.Report:
    source = str(kills.write_corpus(folder / "corpus.jsonl", texts))
    job = run.Job(source, INDEX, folder, analysis="auto", replace=replace)
    return run.ingest(job, open_source(source, job.options), backend)


def numbered(word: str, count: int = 300) -> dict[str, str]:
    return {str(number): f"{word} number {number}" for number in range(count)}


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        ("first", ("settings", 1, "after")),
        ("first", ("bulk", 7, "after")),
        ("upsert", ("committed", 2, "")),
        ("passages", ("old passages", 8, "after")),
        ("replace", ("settings", 2, "before")),
        ("replace", ("count", 1, "after")),
        ("replace", ("aliases", 1, "after")),
        ("replace", None),
    ],
)
def test_an_ingest_that_is_killed_and_run_again_ends_as_if_nothing_had_happened(
    opensearch: Server, tmp_path: Path, kind: str, point: tuple[str, int, str] | None
) -> None:
    kills.with_template(opensearch.url)
    figures = kills.Figures()
    kills.run(opensearch.url, tmp_path, figures, kind=kind, point=point, seed=len(str(point)))
    assert figures.kills.total() + figures.missed


def test_nothing_is_lost_or_doubled_where_the_server_is_killed(
    opensearch: Server, shared_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del opensearch  # which says whether there is one to be had; the one that is killed is another
    monkeypatch.setenv("PRORANK_HOME", str(shared_home))
    server_kills.soak(1, documents=20_000)


@pytest.mark.parametrize(("replace", "size"), [(False, None), (True, SIZE)], ids=["upsert", "replace, passages"])
def test_nothing_is_lost_or_doubled_where_a_tenth_of_the_requests_is_spoiled(
    opensearch: Server, tmp_path: Path, *, replace: bool, size: PassageSize | None
) -> None:
    faults = spoiled_ingest(opensearch.url, f"{INDEX}-spoiled", tmp_path, seed=7, replace=replace, size=size)
    assert faults.total() - faults[""] >= 5
    EngineIndexes(connect(Settings(url=opensearch.url)), tmp_path).delete(f"{INDEX}-spoiled")


def test_an_upsert_never_touches_the_settings_of_a_live_index(
    backend: EngineIndexes, engine: Engine, tmp_path: Path
) -> None:
    ingest(backend, tmp_path, numbered("old"))
    ended = threading.Event()
    seen = set()

    def poll() -> None:
        while not ended.is_set():
            [found] = engine.request("GET", path(INDEX, "_settings"), params={"flat_settings": True}).values()
            seen.add(json.dumps(found["settings"], sort_keys=True))

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        ingest(backend, tmp_path, numbered("new", 4000))
    finally:
        ended.set()
        poller.join()
    assert len(seen) == 1
    assert backend.count(INDEX) == 4000


def test_searches_during_a_swap_see_the_old_or_the_new_version_and_no_error(
    backend: EngineIndexes, tmp_path: Path
) -> None:
    ingest(backend, tmp_path, numbered("word zero"))
    ended = threading.Event()
    answers: list[set[str]] = []
    errors: list[Exception] = []

    def search() -> None:
        while not ended.is_set():
            try:
                ranking = backend.search(SearchRequest(INDEX, Query("", "word"), 20))
            except BackendError as error:
                errors.append(error)
            else:
                answers.append({hit.document.text.split()[1] for hit in ranking.hits})

    searcher = threading.Thread(target=search)
    searcher.start()
    try:
        for word in ("one", "two", "three"):
            ingest(backend, tmp_path, numbered(f"word {word}"), replace=True)
    finally:
        ended.set()
        searcher.join()
    assert not errors
    assert {len(words) for words in answers} == {1}
    assert {word for words in answers for word in words} >= {"one", "two"}


def test_an_index_of_somebody_else_is_adopted_or_left_alone(
    backend: EngineIndexes, engine: Engine, tmp_path: Path
) -> None:
    mapping = {"_meta": {"owner": "eve"}, "properties": {"title": {"type": "text"}}}
    engine.request("PUT", path(INDEX), {"mappings": mapping})
    engine.request("PUT", path(INDEX, "_doc", "theirs"), {"title": "kept"}, params={"refresh": True})
    before = engine.request("GET", path(INDEX))
    with pytest.raises(InputError, match=r"--adopt.*the field 'doc_id' \(keyword\)"):
        ingest(backend, tmp_path, numbered("new"))
    with pytest.raises(InputError, match="not made by prorank"):
        backend.delete(INDEX)
    assert engine.request("GET", path(INDEX)) == before
    assert len(backend.adopt(INDEX)) == 8
    ingest(backend, tmp_path, numbered("new"))
    assert backend.count(INDEX) == 301
    after = engine.request("GET", path(INDEX))[INDEX]
    assert after["mappings"]["_meta"]["owner"] == "eve"
    assert after["settings"] == before[INDEX]["settings"]
    with pytest.raises(InputError, match="--replace cannot swap it"):
        ingest(backend, tmp_path, numbered("new"), replace=True)


def test_what_does_not_fit_a_mapping_is_a_dead_letter_with_the_engines_reason(
    backend: EngineIndexes, engine: Engine, tmp_path: Path
) -> None:
    engine.request("PUT", path(INDEX), {"mappings": {"properties": {"title": {"type": "integer"}}}})
    backend.adopt(INDEX)
    source = tmp_path / "titles.jsonl"
    source.write_text('{"id": "1", "title": "7", "text": "x"}\n{"id": "2", "title": "seven", "text": "y"}\n')
    job = run.Job(str(source), INDEX, tmp_path)
    report = run.ingest(job, open_source(str(source), job.options), backend)
    assert (report.documents, report.bad_records) == (1, 1)
    letter: dict[str, Any] = json.loads(Path(str(report.dead_letters)).read_text("utf-8"))
    assert (letter["error_type"], letter["status"], letter["attempts"]) == ("mapper_parsing_exception", 400, 1)
    assert "failed to parse field [title]" in letter["reason"]
    assert json.loads(letter["record"])["title"] == "seven"


def test_requests_over_the_servers_limit_are_halved_and_a_document_over_it_is_a_dead_letter(
    backend: EngineIndexes, tmp_path: Path
) -> None:
    megabytes = {"a": 3, "b": 4, "too large": 7}
    report = ingest(backend, tmp_path, {doc_id: "fox " * (size * 250_000) for doc_id, size in megabytes.items()})
    assert (report.documents, report.bad_records) == (2, 1)
    assert {document.doc_id for document in backend.scan(INDEX)} == {"a", "b"}
    letter: dict[str, Any] = json.loads(Path(str(report.dead_letters)).read_text("utf-8"))
    assert (letter["error_type"], letter["status"]) == ("too_large", 413)
    assert "http.max_content_length" in letter["reason"]


def test_a_document_that_is_refused_and_comes_again_is_told_apart_from_itself(
    backend: EngineIndexes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 2)
    engine.request("PUT", path(INDEX), {"mappings": {"properties": {"title": {"type": "integer"}}}})
    backend.adopt(INDEX)
    source = tmp_path / "titles.jsonl"
    pairs = [("1", "one"), ("2", "2"), ("1", "1"), ("3", "3"), ("2", "two"), ("4", "4")]
    source.write_text("".join(json.dumps({"id": doc_id, "title": title}) + "\n" for doc_id, title in pairs))
    job = run.Job(str(source), INDEX, tmp_path)
    report = run.ingest(job, open_source(str(source), job.options), backend)
    assert (report.documents, report.duplicates, report.bad_records) == (4, 0, 2)
    letters = [json.loads(line) for line in Path(str(report.dead_letters)).read_text("utf-8").splitlines()]
    assert [json.loads(letter["record"])["title"] for letter in letters] == ["one", "two"]
    titles = {document.doc_id: document.title for document in backend.scan(INDEX)}
    assert titles == {"1": "1", "2": "2", "3": "3", "4": "4"}


def test_settings_are_lowered_for_a_large_load_alone(
    backend: EngineIndexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lowered: list[str] = []
    monkeypatch.setattr(versions, "lower", lambda _, name: lowered.append(name))
    ingest(backend, tmp_path, numbered("text"))
    assert lowered == []
    monkeypatch.setattr(writer, "LOWERED_FROM", 300)
    ingest(backend, tmp_path, numbered("text"), replace=True)
    assert len(lowered) == 1
    ingest(backend, tmp_path, numbered("text"))
    assert len(lowered) == 1


def test_words_are_weighed_as_the_index_was_made(backend: EngineIndexes, tmp_path: Path) -> None:
    texts = {"short": "a fox", "long": "a fox " + "and something else " * 30}
    reader = open_source(str(kills.write_corpus(tmp_path / "foxes.jsonl", texts)), ReaderOptions())
    job = run.Job("foxes.jsonl", INDEX, tmp_path, k1=0.9, b=0.0)

    shown: Any = preview(job, reader, backend)
    assert shown["settings"]["index"]["similarity"]["default"] == {"type": "BM25", "k1": 0.9, "b": 0.0}

    run.ingest(job, reader, backend)
    short, long = backend.search(SearchRequest(INDEX, Query("", "fox"), 2)).hits
    assert short.score == long.score  # b = 0: a text's length is of no account

    run.ingest(dataclasses.replace(job, k1=None, b=None), reader, backend)
    with pytest.raises(InputError, match=r"k1 = 0\.9 and b = 0\.0: leave them"):
        run.ingest(dataclasses.replace(job, b=0.75), reader, backend)

    run.ingest(dataclasses.replace(job, k1=None, b=None, replace=True), reader, backend)
    short, long = backend.search(SearchRequest(INDEX, Query("", "fox"), 2)).hits
    assert (short.document.doc_id, long.document.doc_id) == ("short", "long")
    assert short.score > long.score


def test_a_read_only_index_stops_the_run_and_the_same_command_goes_on(
    backend: EngineIndexes, engine: Engine, tmp_path: Path
) -> None:
    ingest(backend, tmp_path, numbered("old"))
    block = "index.blocks.read_only_allow_delete"
    engine.request("PUT", path(INDEX, "_settings"), {block: True})
    with pytest.raises(BackendError, match="flood stage"):
        ingest(backend, tmp_path, numbered("new"))
    engine.request("PUT", path(INDEX, "_settings"), {block: None})
    assert ingest(backend, tmp_path, numbered("new")).documents == 300
    assert {document.text.split()[0] for document in backend.scan(INDEX)} == {"new"}


def test_a_full_disk_under_the_checkpoint_ends_the_run_and_the_same_command_goes_on(
    backend: EngineIndexes, opensearch: Server, tmp_path: Path
) -> None:
    source = kills.write_corpus(tmp_path / "corpus.jsonl", numbered("text", 30_000))
    command = [sys.executable, "-m", "prorank_search.cli", "ingest", str(source), "--index", INDEX, "--json"]
    own = os.environ | {"PRORANK_HOME": str(tmp_path), "PRORANK_URL": opensearch.url}

    def only_small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    full = subprocess.run(command, env=own, capture_output=True, text=True, check=False, preexec_fn=only_small_files)
    assert full.returncode == 2, full.stderr
    assert "is the disk full" in full.stderr
    assert not any(info.name == INDEX for info in backend.indexes())
    report = json.loads(subprocess.run(command, env=own, capture_output=True, check=True).stdout)
    assert report["resumed_from"] > 0
    assert report["documents"] == backend.count(INDEX) == 30_000


def test_an_alias_of_several_indexes_is_not_written_to(backend: EngineIndexes, engine: Engine, tmp_path: Path) -> None:
    for number in (1, 2):
        engine.request("PUT", path(f"{INDEX}-{number}"), {"aliases": {INDEX: {}}})
    with pytest.raises(InputError, match="alias of several indexes"):
        ingest(backend, tmp_path, numbered("new"))
