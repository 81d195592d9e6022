"""`--sync`, `replay` and `--dry-run`: with the embedded index, since they know nothing of engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.cli import app

HUNDRED = {str(number): f"text {number}" for number in range(100)}


@pytest.fixture
def backend(prorank_home: Path) -> TantivyBackend:
    return TantivyBackend(prorank_home / "indexes")


def corpus(path: Path, texts: dict[str, str], *more: str) -> str:
    lines = [json.dumps({"id": doc_id, "text": text}) for doc_id, text in texts.items()]
    path.write_text("\n".join([*lines, *more]), encoding="utf-8")
    return str(path)


def ingest(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["ingest", *arguments, "--index", "animals"])
    assert result.exit_code == code, result.output
    return result.output


def texts(backend: TantivyBackend) -> dict[str, str]:
    return {document.doc_id: document.text for document in backend.scan("animals")}


def without(*doc_ids: str) -> dict[str, str]:
    return {doc_id: text for doc_id, text in HUNDRED.items() if doc_id not in doc_ids}


def test_what_left_the_source_leaves_the_index(tmp_path: Path, backend: TantivyBackend) -> None:
    ingest(corpus(tmp_path / "a.jsonl", HUNDRED))
    source = corpus(tmp_path / "b.jsonl", without("3", "97") | {"new": "text"})
    assert "2 documents were deleted" in ingest(source, "--sync")
    assert texts(backend) == without("3", "97") | {"new": "text"}


def test_without_sync_nothing_is_deleted(tmp_path: Path, backend: TantivyBackend) -> None:
    ingest(corpus(tmp_path / "a.jsonl", HUNDRED))
    ingest(corpus(tmp_path / "b.jsonl", without("3")))
    assert texts(backend) == HUNDRED


def test_more_deletes_than_allowed_are_refused_and_none_is_done(tmp_path: Path, backend: TantivyBackend) -> None:
    ingest(corpus(tmp_path / "a.jsonl", HUNDRED))
    source = corpus(tmp_path / "b.jsonl", {"1": "text 1", "2": "text 2"})
    assert "98 of the 100 documents" in ingest(source, "--sync", code=3)
    assert texts(backend) == HUNDRED
    assert "98 documents were deleted" in ingest(source, "--sync", "--max-deletes", "0.99")
    assert texts(backend) == {"1": "text 1", "2": "text 2"}


def test_a_dead_letter_keeps_everything(tmp_path: Path, backend: TantivyBackend) -> None:
    ingest(corpus(tmp_path / "a.jsonl", HUNDRED))
    source = corpus(tmp_path / "b.jsonl", without("3"), '{"id": "3", "text": broken')
    assert "nothing was deleted" in ingest(source, "--sync", code=6)
    assert texts(backend) == HUNDRED


def test_a_part_of_a_source_cannot_be_synced(tmp_path: Path) -> None:
    assert "neither --limit nor replay" in ingest(
        corpus(tmp_path / "a.jsonl", HUNDRED), "--sync", "--limit", "5", code=2
    )


def test_dead_letters_are_replayed_once_they_are_mended(
    tmp_path: Path, prorank_home: Path, backend: TantivyBackend
) -> None:
    source = corpus(tmp_path / "a.jsonl", {"1": "x"}, '{"id": "2", "text": "y"', "nonsense")
    ingest(source, code=6)
    [letters] = (prorank_home / "dead-letters").iterdir()
    first, second = [json.loads(line) for line in letters.read_text("utf-8").splitlines()]
    assert (first["error_type"], first["status"], first["attempts"]) == ("bad_record", None, 0)
    mended = tmp_path / "mended.jsonl"
    mended.write_text(f"{json.dumps(first | {'record': first['record'] + '}'})}\n{json.dumps(second)}\n", "utf-8")
    assert "1 bad records" in ingest("replay", str(mended), code=6)
    assert texts(backend) == {"1": "x", "2": "y"}
    again = [path for path in (prorank_home / "dead-letters").iterdir() if path != letters]
    assert json.loads(again[0].read_text("utf-8")) == second


def test_replay_needs_a_file_of_dead_letters(tmp_path: Path) -> None:
    assert "replay what?" in ingest("replay", code=2)
    assert "is no file" in ingest("replay", str(tmp_path / "none.jsonl"), code=3)
    assert "no dead letter" in ingest("replay", corpus(tmp_path / "a.jsonl", HUNDRED), code=3)


def test_a_dry_run_shows_how_a_document_is_analysed_and_writes_nothing(tmp_path: Path, backend: TantivyBackend) -> None:
    source = corpus(tmp_path / "a.jsonl", {"1": "The dogs are barking at the cat and the cat is not happy."})
    shown = json.loads(ingest(source, "--dry-run"))
    assert shown["analysis"] == "english"
    assert shown["terms"]["text"][:2] == ["dog", "bark"]
    assert backend.indexes() == []


@pytest.mark.usefixtures("prorank_home")
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_an_embedded_index_has_no_other_weights(tmp_path: Path, more: tuple[str, ...]) -> None:
    source = corpus(tmp_path / "a.jsonl", HUNDRED)
    assert "cannot have b = 0.4" in ingest(source, "--k1", "1.2", "--b", "0.4", *more, code=3)
    ingest(source, "--k1", "1.2", "--b", "0.75", *more)
    if not more:
        assert "k1 = 1.2 and b = 0.75: leave them" in ingest(source, "--k1", "2", code=3)


@pytest.mark.usefixtures("prorank_home")
def test_a_dry_run_shows_the_first_documents_and_what_is_wrong_with_bad_records(tmp_path: Path) -> None:
    shown = json.loads(ingest(corpus(tmp_path / "a.jsonl", HUNDRED, "{broken"), "--dry-run"))["sample"]
    assert shown["records"] == 101
    assert [document["doc_id"] for document in shown["documents"]] == ["0", "1", "2", "3", "4"]
    assert [bad["line"] for bad in shown["bad_records"]] == [101]
    assert shown["bad_records"][0]["reason"]


@pytest.mark.usefixtures("prorank_home")
def test_progress_json_tells_on_stderr_how_far_it_is(tmp_path: Path) -> None:
    source = corpus(tmp_path / "a.jsonl", HUNDRED)
    result = CliRunner().invoke(app, ["ingest", source, "--index", "animals", "--progress-json", "--json"])
    first = json.loads(result.stderr.splitlines()[0])
    assert first.keys() == {"documents", "docs_per_s", "bad_records", "share_read"}
    assert first["documents"] == 1
    assert 0 < first["share_read"] <= 1
    assert json.loads(result.stdout)["documents"] == 100
