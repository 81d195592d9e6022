"""What the demo searches: Python itself, as every interpreter brings it, and what people would ask about it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import typer

from prorank_search import jobs

if TYPE_CHECKING:
    from pathlib import Path

    from prorank_search.protocols import SearchBackend
    from prorank_search.settings import Settings


@dataclass(frozen=True, slots=True)
class Corpus:
    """A source that `prorank ingest` reads, the index it goes into, and with what."""

    index: str
    source: str
    flags: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, where to ask it, and the documents that answer it, chosen by reading before any model ranked them."""

    text: str
    index: str
    answers: tuple[str, ...]


FUNCTIONS = Corpus(
    "python-functions", "stdlib", ("--analysis", "code", "--no-docstrings"), "the same code without its docstrings"
)
CORPORA = (
    Corpus("python-reference", "python-topics", ("--analysis", "english"), "the language reference, in sections"),
    Corpus("python-stdlib", "stdlib", ("--analysis", "code"), "the standard library: modules, classes, functions"),
    FUNCTIONS,
)
QUESTIONS = (
    Question(
        "how do I handle several exceptions at once", "python-reference", ("try#except-clause", "try#except-clause-2")
    ),
    Question(
        "what is the difference between is and ==", "python-reference", ("comparisons#value-comparisons", "objects")
    ),
    Question("read a csv file row by row", "python-stdlib", ("csv.DictReader", "csv")),
)

_WITH_DEAD_LETTERS = 6


def ingest_missing(settings: Settings, backend: SearchBackend) -> dict[str, float]:
    """Ingest each corpus that is not there yet as this interpreter and this release bring it.

    The library does not know the ingest app, so each ingest is a process of its own; it draws its own progress bar.

    Returns:
        Seconds that each index took; 0 where it was there.
    """
    note = settings.home / "demo.json"
    known = _read(note)
    seconds = {}
    for corpus in CORPORA:
        fresh = known.get(corpus.index) == _state(corpus, backend)
        seconds[corpus.index] = 0.0 if fresh else _ingest(corpus, settings)
        known[corpus.index] = _state(corpus, backend)
        note.write_text(json.dumps(known, indent=2), encoding="utf-8")
    return seconds


def _state(corpus: Corpus, backend: SearchBackend) -> list[str]:
    """Return what has to be unchanged for an index to be used again: its version, and what filled it."""
    versions = [info.version for info in backend.indexes() if info.name == corpus.index]
    return [*versions, *corpus.flags, sys.version, version("prorank-search")]


def _read(note: Path) -> dict[str, list[str]]:
    try:
        known: dict[str, list[str]] = json.loads(note.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # a note that was cut off is no note
        return {}
    return known


def _ingest(corpus: Corpus, settings: Settings) -> float:
    command = [*jobs.prorank("ingest", corpus.source, "--index", corpus.index)]
    command += [*corpus.flags, "--replace", "--backend", settings.backend, "--json"]
    if settings.url is not None and settings.backend != "tantivy":
        command += ["--url", settings.url]
    if settings.config is not None:
        command += ["--config", str(settings.config)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode not in {0, _WITH_DEAD_LETTERS}:
        raise typer.Exit(ended.returncode)  # it said why on stderr
    return float(json.loads(ended.stdout)["seconds"])
