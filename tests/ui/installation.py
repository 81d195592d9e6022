"""An installation in which every page has something to show, of Python's own documentation.

Its second stages are stand-ins: what they score means nothing, but each state of a page can be had when it is wanted.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from prorank_ingest.readers.topics import open_reader
from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.judgments.pooling import Pooled
from prorank_search.protocols import ReaderOptions
from prorank_search.types import Document, Query, SearchRequest
from tests.ui.conftest import when_ended

INDEX = "python"
QUERY_SET = "questions"
JUDGES = ("ada", "bo")
QUESTIONS = (
    "how do I handle several exceptions at once",
    "what is the difference between is and ==",
    "make a class iterable",
    "default values of function arguments",
    "format a number with two decimals",
    "what does yield do",
    "import a module from a package",
    "how does slicing work",
    "when is an object deleted",
    "what is a decorator",
)
STAGES = """
import time
from dataclasses import replace
from prorank_search.errors import MissingModelError, RescorerError
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.types import Calibration, Scored

class Stage(OverlapRescorer):
    info = replace(OverlapRescorer.info, model="shared-words", reason="", calibration=Calibration(8.0, -4.0))

    def __init__(self, answers):
        self.answers = answers

    def score(self, request):
        return self.answers(request, super().score(request))

def shared_words(settings):
    return Stage(lambda request, scored: scored)

def partial(settings):
    return Stage(lambda request, scored: scored[:4] + [Scored(None)] * len(scored[4:]))

def endless(settings):
    def wait(request, scored):
        for _ in range(6000):
            if request.cancelled is not None and request.cancelled():
                break
            time.sleep(0.1)
        return scored
    return Stage(wait)

def failing(settings):
    def fail(request, scored):
        raise RescorerError("the device ran out of memory")
    return Stage(fail)

def missing(settings):
    raise MissingModelError("the model 'prorank-smollm2-135m' needs 'smollm2-135m', which is not on this machine")
"""
ENTRY_POINTS = """[prorank_search.rescorers]
shared-words = stages_for_tests:shared_words
partial = stages_for_tests:partial
endless = stages_for_tests:endless
failing = stages_for_tests:failing
missing = stages_for_tests:missing
"""
_POOL = 12
_JUDGED = 6
_WARMUP_STEPS, _SCORE_STEPS = 40, 200


def write_index(home: Path) -> None:
    """Ingest the language reference that this Python brings."""
    reader = open_reader("python-topics", ReaderOptions())
    assert reader is not None
    with TantivyBackend(home / "indexes").writer(INDEX, analysis="english", replace=True) as writer:
        writer.add(document for document in reader.read() if isinstance(document, Document))
        writer.publish()


def write_judgments(home: Path) -> None:
    """Put questions, what BM25 finds for them, and two judges' grades into the store; the last one is left open."""
    backend, store = TantivyBackend(home / "indexes"), JudgmentStore(home / FILE_NAME)
    queries = [Query(f"q{at}", text) for at, text in enumerate(QUESTIONS, start=1)]
    store.add_queries(QUERY_SET, INDEX, queries)
    for query in queries:
        request = SearchRequest(INDEX, query, top_k=_POOL)
        documents = [hit.document for hit in backend.search(request).hits]
        marked = backend.highlights(request, documents)
        ranked = enumerate(zip(documents, marked, strict=True), start=1)
        pool = [Pooled(document, {"BM25": at}, words) for at, (document, words) in ranked]
        store.pool(QUERY_SET, query.query_id, pool)
        for at, document in enumerate(documents):
            proposal = Judgment(QUERY_SET, query.query_id, document.doc_id, "shared-words", at % 4, origin="model")
            store.judge(proposal)
        for at, document in enumerate(documents[:_JUDGED] if query is not queries[-1] else []):
            for judge, grade in zip(JUDGES, (max(0, 3 - at), max(0, 2 - at // 2)), strict=True):
                store.judge(Judgment(QUERY_SET, query.query_id, document.doc_id, judge, grade))
    store.close()


def at_work(home: Path, kind: str, title: str, *, printed: str = "", **about: object) -> jobs.Job:
    """Start a job that prints something and then waits until it is stopped."""
    code = f"import time\nprint({printed!r}, flush=True)\ntime.sleep(3600)"
    return jobs.start(home / "jobs", kind, title, (sys.executable, "-c", code), about)


def ended(home: Path, kind: str, title: str, *, printed: str = "", exit_code: int = 0, **about: object) -> jobs.Job:
    """Run a job that prints something and ends; return it when it has."""
    command = (sys.executable, "-c", f"print({printed!r}); exit({exit_code})")
    return when_ended(jobs.start(home / "jobs", kind, title, command, about))


def write_groups(folder: Path) -> None:
    """Write the groups that a run learns from, as `prorank train data` leaves them."""
    counts = {
        "collection": QUERY_SET,
        "groups": 48,
        "dev_queries": 6,
        "hard_negatives": 7.5,
        "judged_negatives": 2.25,
        "misplaced": 11,
    }
    (folder / "data.json").write_text(json.dumps({"collections": [counts]}), encoding="utf-8")
    group = {
        "collection": QUERY_SET,
        "query": QUESTIONS[0],
        "positive": "The except clause(s) specify one or more exception handlers. When no exception occurs in the try "
        "clause, no exception handler is executed.",
        "hard_negatives": ["The raise statement.", "The assert statement.", "Exceptions are a means of breaking out."]
        * 2,
    }
    pq.write_table(pa.Table.from_pylist([group, group | {"query": QUESTIONS[1]}]), folder / "groups.parquet")
    held_back = folder / "held-back"
    held_back.mkdir()
    rows = [{"_id": str(at), "text": text} for at, text in enumerate(QUESTIONS)]
    (held_back / f"{QUERY_SET}.queries.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    (held_back / f"{QUERY_SET}.qrels.tsv").write_text("query-id\tcorpus-id\tscore\n0\ttry\t1\n", "utf-8")
    files = {"queries": f"{QUERY_SET}.queries.jsonl", "qrels": f"{QUERY_SET}.qrels.tsv"}
    (held_back / "sets.json").write_text(json.dumps([{"query_set": QUERY_SET, "index": INDEX} | files]), "utf-8")


def write_curves(folder: Path, *, until: int = _SCORE_STEPS, pace: float = 30.0) -> None:
    """Write what a run measured, up to a step of its second stage; `pace`: steps in which the loss falls to a third."""
    recipe = {"score": {"steps": _SCORE_STEPS}, "warmup": {"steps": _WARMUP_STEPS}}
    (folder / "run.json").write_text(json.dumps({"recipe": recipe}), encoding="utf-8")
    lines = [_warmup_line(step) for step in range(1, _WARMUP_STEPS + 1)]
    lines += [_score_line(step, pace) for step in range(1, until + 1)]
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def _warmup_line(step: int) -> Mapping[str, Any]:
    learned = 1 - math.exp(-step / 12)
    return {
        "stage": "warmup",
        "step": step,
        "time": 4.0 * step,
        "format_reward": learned,
        "correctness_reward": 0.5 + 0.3 * learned,
        "mass": learned,
        "zero_variance": 0.6 - 0.3 * learned,
        "loss": 0.1 * math.exp(-step / 20),
        "learning_rate": 1e-5 * min(1.0, step / 10),
    }


def _score_line(step: int, pace: float) -> Mapping[str, Any]:
    learned = 1 - math.exp(-step / pace)
    line = {
        "stage": "score",
        "step": step,
        "time": 160.0 + 2.5 * step,
        "loss": 1.4 - 0.9 * learned + 0.05 * math.sin(step),
        "positive_first": 0.4 + 0.4 * learned,
        "learning_rate": 2e-5 * (1 - step / _SCORE_STEPS),
    }
    return (
        line if step % 20 else line | {"dev": {QUERY_SET: {"bm25": 0.61, "model": 0.5 + 0.2 * learned, "blend": 0.7}}}
    )
