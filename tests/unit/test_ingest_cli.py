from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_ingest import run
from prorank_search.cli import app

GOOD = '{"id": "1", "text": "It barks."}\n'


def test_json_is_one_object_with_what_became_of_the_ingest(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(GOOD, encoding="utf-8")
    result = CliRunner().invoke(app, ["ingest", str(source), "--index", "animals", "--json"])
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report.pop("seconds") > 0
    assert report.pop("docs_per_s") > 0
    assert report == {
        "index": "animals",
        "source": str(source),
        "documents": 1,
        "kept": 0,
        "duplicates": 0,
        "equal_texts": 0,
        "deleted": None,
        "bad_records": 0,
        "dead_letters": None,
        "analysis": "english",
        "resumed_from": None,
    }


def test_dead_letters_make_exit_code_6_and_their_file_is_named() -> None:
    result = CliRunner().invoke(app, ["ingest", "-", "--index", "animals"], input=GOOD + "nonsense\n")
    assert result.exit_code == 6
    assert "animals: 1 documents from -" in result.stdout
    assert "1 bad records, with their reasons:" in result.stderr


def test_what_was_left_as_it_was_and_what_stands_there_twice_is_told() -> None:
    twice = '{"id": "2", "text": "It purrs."}\n{"id": "3", "text": "It purrs."}\n'
    for text in (GOOD, GOOD + twice):
        result = CliRunner().invoke(app, ["ingest", "-", "--index", "animals", "--keep-existing"], input=text)
        assert result.exit_code == 0
    assert "animals: 2 documents from -" in result.stdout
    assert "1 documents were there already and are as they were" in result.stdout
    assert "1 documents have the title and text of another one" in result.stdout


def test_keeping_and_replacing_at_once_is_exit_code_2() -> None:
    flags = ["--keep-existing", "--replace"]
    result = CliRunner().invoke(app, ["ingest", "-", "--index", "animals", *flags], input=GOOD)
    assert result.exit_code == 2
    assert "give one of them" in result.stderr


def test_an_embedded_index_is_copied_with_another_analysis() -> None:
    CliRunner().invoke(app, ["ingest", "-", "--index", "animals"], input=GOOD)
    result = CliRunner().invoke(app, ["ingest", "tantivy:animals", "--index", "copy", "--analysis", "code"])
    assert result.exit_code == 0, result.output
    assert "copy: 1 documents from tantivy:animals" in result.stdout
    assert result.stdout.rstrip().endswith("code")


def test_on_a_terminal_the_bar_tells_how_fast_it_is_and_when_it_is_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(run, "BATCH_RECORDS", 1000)
    source = tmp_path / "many.jsonl"
    lines = (json.dumps({"id": number, "text": "It barks. " * 20}) for number in range(5000))
    source.write_text("\n".join(["nonsense", *lines]), encoding="utf-8")
    result = CliRunner().invoke(app, ["ingest", str(source), "--index", "animals"])
    assert re.search(
        r"[\d,]+ documents, [\d,]+ a second, 1 bad records, [\d.]+ MB/s, \d+:\d\d:\d\d left", result.stderr
    )


def test_a_source_that_does_not_exist_is_exit_code_3() -> None:
    result = CliRunner().invoke(app, ["ingest", "nowhere.jsonl", "--index", "animals"])
    assert result.exit_code == 3
    assert "is no file or folder here" in result.stderr


def test_an_unknown_analysis_is_refused_before_anything_is_made(prorank_home: Path) -> None:
    result = CliRunner().invoke(app, ["ingest", "-", "--index", "animals", "--analysis", "klingon"], input=GOOD)
    assert result.exit_code == 2
    assert "klingon" in result.stderr
    assert not list((prorank_home / "indexes").glob("animals"))


def test_a_home_that_cannot_be_written_to_is_told(prorank_home: Path) -> None:
    prorank_home.mkdir(exist_ok=True)
    (prorank_home / "ingest").touch()
    result = CliRunner().invoke(app, ["ingest", "-", "--index", "animals"], input=GOOD)
    assert result.exit_code == 2
    assert "read-only" in result.stderr
    assert "set PRORANK_HOME to another folder" in result.stderr


def test_an_index_name_that_is_a_path_writes_nothing(prorank_home: Path) -> None:
    result = CliRunner().invoke(app, ["ingest", "-", "--index", "../../elsewhere"], input=GOOD)
    assert result.exit_code == 3
    assert "cannot be an index name" in result.stderr
    assert not prorank_home.exists()


def interrupted(source: str, home: Path) -> str:
    """Interrupt an ingest that has begun; return what it said."""
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # also where tests run under nohup
    )
    program = f"{heard}; from prorank_search.cli import main; main()"
    command = [sys.executable, "-c", program, "ingest", source, "--index", "any"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    while not (home / "ingest").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    return errors


def test_an_interrupted_ingest_says_what_to_type_to_go_on(tmp_path: Path, prorank_home: Path) -> None:
    source = tmp_path / "many.jsonl"
    source.write_text("".join(f'{{"id": "{number}", "text": "It barks."}}\n' for number in range(100_000)))
    assert interrupted(str(source), prorank_home) == (
        f"interrupted; what was read so far is kept, to go on type:\n  prorank ingest {source} --index any\n"
    )


def test_an_interrupted_ingest_of_standard_input_asks_for_all_of_it_again(prorank_home: Path) -> None:
    assert interrupted("-", prorank_home) == (
        "interrupted; standard input cannot be read again from where it stopped, so pipe all of it once more into:\n"
        "  prorank ingest - --index any\n"
    )
