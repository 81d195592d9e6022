"""The demo as `make demo` runs it: a process without a terminal, in a path with spaces."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prorank_search.cli.demo_corpus import QUESTIONS

Prorank = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def prorank(tmp_path_factory: pytest.TempPathFactory) -> Prorank:
    """Run the command in one home for all tests of this module, whose path has spaces."""
    folder = tmp_path_factory.mktemp("with some spaces")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "prorank_search.cli", *arguments],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env={"PRORANK_HOME": str(folder / "home"), "PRORANK_RESCORER": "overlap"},
        )

    return run


@pytest.fixture(scope="module")
def shown(prorank: Prorank) -> subprocess.CompletedProcess[str]:
    """What the first demo prints; it ingests."""
    return prorank("demo", "--queries", "3")


@pytest.fixture(scope="module")
def told(prorank: Prorank, shown: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What the second demo tells as JSON."""
    del shown
    answer: dict[str, Any] = json.loads(prorank("demo", "--queries", "3", "--json").stdout)
    return answer


def test_it_ingests_compares_measures_and_says_what_to_type_next(shown: subprocess.CompletedProcess[str]) -> None:
    lines = shown.stdout.splitlines()
    indexes = [line.split(":")[0].strip() for line in lines if " ingested in " in line]
    assert indexes == ["python-reference", "python-stdlib", "python-functions"]
    assert [line for line in lines if line.endswith("?")] == [f"{question.text}?" for question in QUESTIONS]
    assert "python-functions, 3 queries" in lines
    assert "95% interval" in shown.stdout
    ui, ingest = (shlex.split(line) for line in lines[-2:])
    assert (Path(ui[0]).name, ui[1:]) == ("prorank", ["ui"])
    assert (Path(ingest[0]).name, ingest[1:]) == ("prorank", ["ingest", "FOLDER", "--index", "mine"])


def test_a_stand_in_is_called_one_loudly_and_nothing_else_goes_to_stderr(
    shown: subprocess.CompletedProcess[str],
) -> None:
    (warning,) = shown.stderr.splitlines()
    assert warning.startswith("warning: what follows says nothing about ProRank: overlap only counts")
    assert "These figures say nothing about ProRank: overlap only counts" in shown.stdout


def test_a_second_demo_ingests_nothing(told: dict[str, Any]) -> None:
    assert set(told["ingest_seconds"].values()) == {0.0}


def test_an_index_that_is_gone_is_ingested_again(prorank: Prorank, told: dict[str, Any]) -> None:
    del told
    prorank("index", "delete", "python-reference", "--yes")
    again = json.loads(prorank("demo", "--queries", "1", "--json").stdout)
    assert [name for name, seconds in again["ingest_seconds"].items() if seconds] == ["python-reference"]


def test_the_answers_to_the_questions_stand_among_the_rescored_hits(told: dict[str, Any]) -> None:
    found = [set(compared["answers"]) for compared in told["comparisons"]]
    assert found == [set(question.answers) for question in QUESTIONS]


def test_the_evaluation_tells_what_prorank_evaluate_tells(told: dict[str, Any]) -> None:
    evaluation = told["evaluation"]
    assert (evaluation["collection"], evaluation["queries"], evaluation["window_size"]) == ("python-functions", 3, 20)
    assert {"wins", "ties", "losses", "ci95"} <= set(evaluation["comparison"])
