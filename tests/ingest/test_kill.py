"""An ingest that is killed at any moment and run again ends as if nothing had happened."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from prorank_ingest import run
from prorank_ingest.selection import open_source
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.types import Query, SearchRequest

SCRIPT = Path(__file__).with_name("killed_ingest.py")
NEW = {str(number): f"new text {number}" for number in range(450)}
BAD_LINES = (7, 130, 131, 420)
POINTS = [("document", 250), ("committed", 3), ("saved", 3), ("published", 1)]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 100)


def write_corpus(path: Path, texts: dict[str, str], *, bad_lines: Iterable[int] = ()) -> Path:
    lines = [json.dumps({"id": doc_id, "text": text}) for doc_id, text in texts.items()]
    for place in bad_lines:
        lines.insert(place, f"bad line {place}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def start(source: Path, home: Path, flag: str, point: str, nth: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(source), "animals", str(home), flag, point, str(nth)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(source: Path, home: Path, flag: str) -> run.Report:
    job = run.Job(str(source), "animals", home, replace=flag == "replace")
    return run.ingest(job, open_source(str(source), job.options), TantivyBackend(home / "indexes"))


def kill(source: Path, home: Path, flag: str, point: str, nth: int) -> None:
    process = start(source, home, flag, point, nth)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def stored(home: Path) -> dict[str, str]:
    backend = TantivyBackend(home / "indexes")
    found = [(document.doc_id, document.text) for document in backend.scan("animals")]
    assert len(found) == len(dict(found)) == backend.count("animals")
    assert backend.search(SearchRequest("animals", Query("", "text"))).hits
    return dict(found)


def check_report(report: run.Report) -> None:
    assert (report.documents, report.duplicates, report.bad_records) == (len(NEW), 0, len(BAD_LINES))
    assert report.dead_letters is not None
    letters = [json.loads(line) for line in Path(report.dead_letters).read_text("utf-8").splitlines()]
    assert [letter["line"] for letter in letters] == [place + 1 for place in BAD_LINES]


@pytest.mark.parametrize(
    ("point", "nth", "resumed_from"),
    [
        ("opened", 1, 0),
        ("document", 250, 200),
        ("committed", 1, 0),
        ("committed", 3, 200),
        ("saved", 1, 100),
        ("saved", 5, 454),
        ("published", 1, 454),
    ],
)
def test_a_first_ingest_shows_nothing_until_it_has_all(tmp_path: Path, point: str, nth: int, resumed_from: int) -> None:
    source = write_corpus(tmp_path / "new.jsonl", NEW, bad_lines=BAD_LINES)
    kill(source, tmp_path, "upsert", point, nth)
    names = [info.name for info in TantivyBackend(tmp_path / "indexes").indexes()]
    assert names == (["animals"] if point == "published" else [])
    report = finish(source, tmp_path, "upsert")
    assert report.resumed_from == resumed_from
    check_report(report)
    assert stored(tmp_path) == NEW


@pytest.mark.parametrize(("point", "nth"), POINTS)
def test_an_upsert_into_a_filled_index_ends_with_every_id_once(tmp_path: Path, point: str, nth: int) -> None:
    old = {str(number): f"old text {number}" for number in range(400, 500)}
    finish(write_corpus(tmp_path / "old.jsonl", old), tmp_path, "upsert")
    source = write_corpus(tmp_path / "new.jsonl", NEW, bad_lines=BAD_LINES)
    kill(source, tmp_path, "upsert", point, nth)
    check_report(finish(source, tmp_path, "upsert"))
    assert stored(tmp_path) == old | NEW


@pytest.mark.parametrize(("point", "nth"), POINTS)
def test_a_replacement_leaves_the_old_version_alone_until_it_is_whole(tmp_path: Path, point: str, nth: int) -> None:
    old = {f"old-{number}": f"old text {number}" for number in range(20)}
    finish(write_corpus(tmp_path / "old.jsonl", old), tmp_path, "upsert")
    source = write_corpus(tmp_path / "new.jsonl", NEW, bad_lines=BAD_LINES)
    kill(source, tmp_path, "replace", point, nth)
    assert stored(tmp_path) == (NEW if point == "published" else old)
    check_report(finish(source, tmp_path, "replace"))
    assert stored(tmp_path) == NEW


@pytest.mark.parametrize("seed", range(3))
def test_kills_at_random_moments_lose_nothing(tmp_path: Path, seed: int) -> None:
    texts = {str(number): f"new text {number} " + "word " * 200 for number in range(3_000)}
    source = write_corpus(tmp_path / "new.jsonl", texts)
    moments = random.Random(seed)
    for _ in range(3):
        process = start(source, tmp_path, "upsert", "never", 1)
        time.sleep(moments.uniform(0.2, 1.5))
        process.kill()
        process.communicate()
    report = finish(source, tmp_path, "upsert")
    assert (report.documents, report.duplicates) == (3_000, 0)
    assert stored(tmp_path) == texts


def test_a_source_that_changed_meanwhile_is_read_from_its_beginning(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "new.jsonl", NEW)
    kill(source, tmp_path, "upsert", "saved", 3)
    write_corpus(source, NEW | {"0": "changed"})
    report = finish(source, tmp_path, "upsert")
    assert report.resumed_from is None
    assert stored(tmp_path) == NEW | {"0": "changed"}


def test_after_another_ingest_into_the_index_a_killed_one_begins_at_the_beginning(tmp_path: Path) -> None:
    finish(write_corpus(tmp_path / "old.jsonl", {"0": "old text"}), tmp_path, "upsert")
    source = write_corpus(tmp_path / "new.jsonl", NEW)
    kill(source, tmp_path, "upsert", "saved", 3)
    finish(write_corpus(tmp_path / "other.jsonl", {"0": "other text"}), tmp_path, "upsert")
    assert list((tmp_path / "ingest").iterdir()) == []
    assert finish(source, tmp_path, "upsert").resumed_from is None
    assert stored(tmp_path) == NEW


def test_an_index_that_was_deleted_meanwhile_is_filled_from_the_beginning(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "new.jsonl", NEW)
    kill(source, tmp_path, "upsert", "saved", 3)
    TantivyBackend(tmp_path / "indexes").delete("animals")
    assert finish(source, tmp_path, "upsert").resumed_from is None
    assert stored(tmp_path) == NEW


def test_another_index_under_the_name_of_a_deleted_one_is_filled_from_the_beginning(tmp_path: Path) -> None:
    finish(write_corpus(tmp_path / "first.jsonl", {"a": "some text"}), tmp_path, "upsert")
    source = write_corpus(tmp_path / "new.jsonl", NEW)
    kill(source, tmp_path, "upsert", "saved", 3)
    TantivyBackend(tmp_path / "indexes").delete("animals")
    finish(write_corpus(tmp_path / "other.jsonl", {"b": "other text"}), tmp_path, "upsert")
    assert finish(source, tmp_path, "upsert").resumed_from is None
    assert stored(tmp_path) == NEW | {"b": "other text"}
