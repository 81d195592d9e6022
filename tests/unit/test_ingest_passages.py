"""`prorank ingest --passages`, and what the other commands make of such an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.cli import app

FOX = "A fox sleeps in its den all day long. " * 8 + "A grey goose flies over the fox and its den. " * 4
SIZE = ("--passages", "--passage-tokens", "40", "--passage-overlap", "10")


@pytest.fixture
def backend(prorank_home: Path, monkeypatch: pytest.MonkeyPatch) -> TantivyBackend:
    monkeypatch.setenv("PRORANK_RESCORER", "overlap")
    return TantivyBackend(prorank_home / "indexes")


def prorank(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout


def corpus(path: Path, **texts: str) -> str:
    path.write_text("".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items()))
    return str(path)


@pytest.fixture
def source(tmp_path: Path, backend: TantivyBackend) -> str:
    """A corpus of one long and one short document, ingested in passages."""
    source = corpus(tmp_path / "a.jsonl", fox=FOX, owl="An owl sleeps.")
    assert backend.indexes() == []
    prorank("ingest", source, "--index", "animals", *SIZE)
    return source


def counts(backend: TantivyBackend) -> tuple[int, int | None]:
    (info,) = backend.indexes()
    return info.documents, info.passages


@pytest.mark.usefixtures("source")
def test_documents_and_passages_are_listed_apart() -> None:
    (listed,) = json.loads(prorank("index", "list", "--json"))
    assert listed["documents"] == 2
    assert listed["passages"] > 4
    headings, row = prorank("index", "list").splitlines()
    assert headings.split()[:3] == ["name", "documents", "passages"]
    assert row.split()[:3] == ["animals", "2", str(listed["passages"])]


@pytest.mark.usefixtures("source")
def test_the_passage_that_won_is_shown_and_placed() -> None:
    (best, _) = json.loads(prorank("search", "goose sleeps", "--index", "animals", "--json"))["hits"]
    start, end = best["passage_offsets"]
    assert (best["doc_id"], best["passage"]) == ("fox", FOX[start:end])
    said = prorank("compare", "goose sleeps", "--index", "animals")
    assert f"passage at characters {start:,} to {end:,}" in " ".join(said.replace("│", " ").split())


def test_a_document_that_became_shorter_has_fewer_passages(
    source: str, tmp_path: Path, backend: TantivyBackend
) -> None:
    documents, before = counts(backend)
    assert (documents, before is not None and before > 4) == (2, True)
    prorank("ingest", corpus(tmp_path / "b.jsonl", fox="A fox runs."), "--index", "animals")
    assert counts(backend) == (2, 2)
    prorank("ingest", source, "--index", "animals", *SIZE)
    assert counts(backend) == (2, before)


@pytest.mark.usefixtures("source")
def test_what_left_the_source_leaves_the_index_with_all_its_passages(tmp_path: Path, backend: TantivyBackend) -> None:
    shorter = corpus(tmp_path / "b.jsonl", owl="An owl sleeps.")
    said = prorank("ingest", shorter, "--index", "animals", "--sync", "--max-deletes", "1")
    assert "1 documents were deleted" in said
    assert counts(backend) == (1, 1)


def test_passages_of_another_size_need_a_new_version(source: str, backend: TantivyBackend) -> None:
    refused = prorank("ingest", source, "--index", "animals", "--passages", code=3)
    assert "has passages of 40 tokens, 10 of them repeated" in refused
    prorank("ingest", source, "--index", "animals", "--replace")
    assert counts(backend) == (2, None)
    assert "has whole documents" in prorank("ingest", source, "--index", "animals", "--passages", code=3)


@pytest.mark.usefixtures("source")
def test_an_evaluation_judges_documents(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "goose"}\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tfox\t1\n")
    files = ("--queries", str(tmp_path / "queries.jsonl"), "--qrels", str(tmp_path / "qrels.tsv"))
    evaluated = json.loads(prorank("evaluate", *files, "--index", "animals", "--json"))
    assert evaluated["second_stage"]["ndcg@10"] == 1.0


def test_a_passage_that_is_refused_keeps_its_whole_document_out(tmp_path: Path, backend: TantivyBackend) -> None:
    source = corpus(tmp_path / "a.jsonl", **{"x" * 509: FOX, "owl": "An owl sleeps."})
    prorank("ingest", source, "--index", "animals", *SIZE, code=6)
    assert {passage.parent_id for passage in backend.scan("animals")} == {"owl"}


def test_a_dry_run_shows_how_the_first_document_is_cut(tmp_path: Path, backend: TantivyBackend) -> None:
    source = corpus(tmp_path / "a.jsonl", fox="It runs. It eats.")
    shown = json.loads(prorank("ingest", source, "--index", "animals", "--dry-run", *SIZE))
    assert shown["passages"] == ["It runs. It eats."]
    assert backend.indexes() == []
