from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from typer.testing import CliRunner

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
        "duplicates": 0,
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


def test_a_source_that_does_not_exist_is_exit_code_3() -> None:
    result = CliRunner().invoke(app, ["ingest", "nowhere.jsonl", "--index", "animals"])
    assert result.exit_code == 3
    assert "is no file or folder here" in result.stderr


def test_an_unknown_analysis_is_refused_before_anything_is_made(prorank_home: Path) -> None:
    result = CliRunner().invoke(app, ["ingest", "-", "--index", "animals", "--analysis", "klingon"], input=GOOD)
    assert result.exit_code == 3
    assert "klingon" in result.stderr
    assert not list((prorank_home / "indexes").glob("animals"))


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
