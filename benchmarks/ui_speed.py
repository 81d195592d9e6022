"""Measure how long the web interface lets a person wait, in a browser, with 1,000 queries and 10,000 judgments.

    python benchmarks/ui_speed.py

An installation of its own, filled with this Python's language reference; the second stage is a stand-in, since what a
model takes is another matter. Each figure is the time from a key or a click to the first frame that shows its effect.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.judgments.pooling import Pooled
from prorank_search.profiles import Profile
from prorank_search.settings import load_settings
from prorank_search.types import Query, SearchRequest
from prorank_ui.choices import Side
from prorank_ui.evaluate import evaluating
from prorank_ui.evaluate.evaluating import EvaluationWish, Source
from tests.ui import installation
from tests.ui.conftest import install_stages
from tests.ui.installation import INDEX, QUESTIONS
from tests.ui.test_browser import CHROMIUM, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUERY_SET = "large"
QUERIES, POOLED, WORDS = 1_000, 20, 8
JUDGED = 6
"""Hits of each query that each of two judges has graded, as far as so many are found."""

PATIENCE_MS = 600_000
A_PERSON_LOOKS_MS = 600

_TIME = """window.taken = new Promise((resolve) => document.addEventListener("%s", () => {
  const began = performance.now();
  const look = () => (%s) ? resolve(performance.now() - began) : requestAnimationFrame(look);
  look();
}, { once: true, capture: true }));
0"""
_AT_REST = "[data-test-script-state=notRunning]"


def main(rounds: int) -> None:
    """Print a line for each wait."""
    if CHROMIUM is None:
        sys.exit("no chromium: apt-get install chromium")
    with TemporaryDirectory() as folder:
        home = Path(folder)
        stages = install_stages(home / "stages", installation.STAGES, installation.ENTRY_POINTS)
        for name in [name for name in os.environ if name.startswith("PRORANK_")]:
            del os.environ[name]
        os.environ.update(PRORANK_HOME=folder, PRORANK_RESCORER="shared-words", PYTHONPATH=str(stages))
        run = fill(home)
        with served(stages) as address, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(PATIENCE_MS)
            tell("BM25's side of a first comparison, the other at work", first_sides(page, address, rounds), 0)
            tell("a comparison that was made before", known_comparisons(page, address, rounds), 300)
            tell("Judge: from the grade to the next hit", next_hits(page, address, rounds), 1_000)
            tell("Evaluate: a filter of the changes", filters(page, f"{address}/evaluate?run={run}", rounds), 1_000)
            tell("Evaluate: another measure, tested for the first time", measures(page), 1_000)
            browser.close()


def fill(home: Path) -> str:
    """Make index, judgments and an evaluation over them; return its id."""
    installation.write_index(home)
    backend, store = TantivyBackend(home / "indexes"), JudgmentStore(home / FILE_NAME)
    queries = list(itertools.islice(questions(backend), QUERIES))
    store.add_queries(QUERY_SET, INDEX, queries)
    for query in queries:
        hits = backend.search(SearchRequest(INDEX, query, top_k=POOLED)).hits
        store.pool(QUERY_SET, query.query_id, [Pooled(hit.document, {"BM25": at}) for at, hit in enumerate(hits, 1)])
        graded = [(hit.document.doc_id, max(0, 3 - at)) for at, hit in enumerate(hits[:JUDGED])]
        said = itertools.product(graded, ("ada", "bo"))
        store.judge(*(Judgment(QUERY_SET, query.query_id, doc_id, judge, grade) for (doc_id, grade), judge in said))
    print(
        f"{len(queries):,} queries, {len(store.judgments(QUERY_SET)):,} judgments of persons; now an evaluation of them"
    )
    store.close()
    sides = [Side(), Side("shared-words", window="20"), Side("overlap", window="20", blend="total:zscore:1:1")]
    wish = EvaluationWish(Source(QUERY_SET, INDEX), "test", INDEX, sides, smaller_windows=False)
    job = evaluating.start(home, wish, load_settings(index=INDEX), Profile())
    while jobs.status(job).state == "running":
        time.sleep(0.5)
    if jobs.status(job).state != "finished":
        sys.exit(jobs.output(job))
    return job.job_id


def questions(backend: TantivyBackend) -> Iterator[Query]:
    """Yield a few words in a row of one document after another, from further and further inside."""
    words = [document.text.split() for document in backend.scan(INDEX)]
    for start in itertools.count(0, WORDS):
        for at, text in enumerate(words):
            if len(text) >= start + WORDS:
                yield Query(f"q{start}-{at}", " ".join(text[start : start + WORDS]))


def first_sides(page: Page, address: str, rounds: int) -> Iterator[float]:
    """Search with a second stage that never ends."""
    page.goto(f"{address}/?index={INDEX}&right=endless")
    page.get_by_text("Type a query").wait_for()
    there = "document.querySelector('.pr-before .pr-title') && document.querySelector('.pr-after[aria-busy=true]')"
    for question in QUESTIONS[:rounds]:
        named = f"new URLSearchParams(location.search).get('q') === {json.dumps(question)}"
        yield timed(page, "keydown", f"{named} && {there}", partial(ask, page, question))
        page.get_by_label("Query").fill("zyzzyva")
        page.keyboard.press("Enter")
        page.get_by_text("No document holds a word").wait_for()


def known_comparisons(page: Page, address: str, rounds: int) -> Iterator[float]:
    """Search two queries in turn, once both have been answered."""
    first: dict[str, str] = {}
    page.goto(f"{address}/?index={INDEX}")
    for question in QUESTIONS[:2]:
        ask(page, question)
        page.wait_for_url("**right_revision=*")
        page.wait_for_selector(_AT_REST)
        page.wait_for_timeout(A_PERSON_LOOKS_MS)
        first[question] = page.locator(".pr-summary").inner_text()
    for question in itertools.islice(itertools.cycle(QUESTIONS[:2]), rounds):
        shown = f"document.querySelector('.pr-summary')?.innerText === {json.dumps(first[question])}"
        yield timed(page, "keydown", shown, partial(ask, page, question))


def next_hits(page: Page, address: str, rounds: int) -> Iterator[float]:
    """Grade one hit after another by keyboard."""
    page.goto(f"{address}/judge?set={QUERY_SET}")
    page.get_by_label("Your name").fill("cy")
    page.keyboard.press("Enter")
    card = page.locator(".jc-card")
    card.wait_for()
    for _ in range(rounds):
        settle(page)
        seen = json.dumps(card.get_attribute("data-doc"))
        another = f"(document.querySelector('.jc-card')?.dataset.doc ?? {seen}) !== {seen}"
        yield timed(page, "keydown", another, partial(page.keyboard.press, "1"))


def filters(page: Page, address: str, rounds: int) -> Iterator[float]:
    """Look at the queries with equal values, and at all of them, in turn."""
    page.goto(address)
    rows = page.locator(".ch-row")
    rows.first.wait_for()
    for name in itertools.islice(itertools.cycle(("Equal", "All")), rounds):
        settle(page)
        before = rows.first.inner_text() + str(rows.count())
        seen = "document.querySelector('.ch-row').innerText + document.querySelectorAll('.ch-row').length"
        button = page.get_by_text(re.compile(rf"^{name} [\d,]+$"))
        yield timed(page, "click", f"{seen} !== {json.dumps(before)}", button.click)


def measures(page: Page) -> Iterator[float]:
    """Choose one measure after another."""
    for name in ("mrr@10", "map@100", "p@10", "recall@100"):
        settle(page)
        before = page.locator(".pr-summary").first.inner_text()
        page.get_by_label("Measure", exact=True).click()
        option = page.get_by_role("option", name=name, exact=True)
        option.wait_for()
        yield timed(
            page, "click", f"document.querySelector('.pr-summary').innerText !== {json.dumps(before)}", option.click
        )


def ask(page: Page, question: str) -> None:
    """Type a query."""
    page.get_by_label("Query").fill(question)
    page.keyboard.press("Enter")


def settle(page: Page) -> None:
    """Wait until the page is at rest and a person has seen it."""
    page.wait_for_selector(_AT_REST)
    page.wait_for_timeout(A_PERSON_LOOKS_MS)


def timed(page: Page, event: str, shown: str, act: Callable[[], None]) -> float:
    """Return the milliseconds from an event to the frame in which something is shown."""
    page.evaluate(_TIME % (event, shown))
    act()
    return float(page.evaluate("window.taken"))


def tell(what: str, taken: Iterator[float], aim_ms: int) -> None:
    """Print a line."""
    found: Sequence[float] = list(taken)
    aim = f", aim: below {aim_ms:,} ms" if aim_ms else ""
    print(f"{what}: p50 {median(found):,.0f} ms, worst {max(found):,.0f} ms of {len(found)}{aim}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="of each wait")
    main(parser.parse_args().rounds)
