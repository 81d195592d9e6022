"""A training run in a real browser: started by clicks, killed, gone on with after a reload, its model the default."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.promotions import promoted_model
from prorank_search.types import Document, Query
from tests.tiny_model import write_model
from tests.training.tiny_training import ANIMALS
from tests.ui import test_browser as browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

page = browser.page
address = browser.address
AT_A_LATER_STEP = "before => +(/step ([\\d,]+) of/.exec(document.body.innerText) || '00')[1].replace(',', '') > before"

RECIPE = """# A model of a few kilobytes.
base = "tiny"
max_length_tokens = 128
query_max_tokens = 24
[data]
hard_negatives = 3
random_negatives = 2
dev_window = 5
[score]
steps = 400
groups_a_step = 2
negatives = 3
random_only_steps = 0
document_tokens = { "32" = 1.0 }
learning_rate = 2e-3
evaluate_every = 20
[export]
name = "zoo"
form = "4-bit"
[export.golden_pair]
query = "where is the fox"
relevant = "the fox swims in field 0"
irrelevant = "the fox swims in field 1"
"""


@pytest.fixture
def animals(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An index, judgments by which field 0 is always right, a tiny base, a recipe; every process has one thread."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PRORANK_DEVICE", "cpu")
    monkeypatch.setenv("PRORANK_DTYPE", "float32")
    write_model(home / "models" / "tiny")
    (home / "models" / "tiny" / "source.json").write_text('{"license": "MIT", "origin": "a test"}', encoding="utf-8")
    with TantivyBackend(home / "indexes").writer("animals", analysis="english", replace=True) as writer:
        writer.add(Document(f"{name}{n}", f"the {name} swims in field {n}") for name in ANIMALS for n in range(4))
        writer.publish()
    store = JudgmentStore(home / FILE_NAME)
    asked = [Query(f"{name}-{way}", f"{way} is the {name}") for name in ANIMALS for way in ("where", "how", "who")]
    store.add_queries("zoo", "animals", asked)
    for query in asked:
        name = query.query_id.partition("-")[0]
        grades = {f"{name}0": 3, f"{name}1": 0, f"{name}2": 0}
        store.judge(*(Judgment("zoo", query.query_id, doc_id, "ada", grade) for doc_id, grade in grades.items()))
    store.close()
    (home / "recipes").mkdir()
    (home / "recipes" / "mine.toml").write_text(RECIPE, encoding="utf-8")
    return "animals"


def step(page: Page) -> int:
    found = re.search(r"step ([\d,]+) of", page.locator("body").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def kill_and_resume(page: Page, job: jobs.Job) -> None:
    """Kill all that a run consists of; see that the page says so, and go on from what was saved."""
    for pid in (job.folder / "alive").read_text("ascii").split():
        os.kill(int(pid), signal.SIGKILL)
    page.get_by_text("interrupted: its machine or container went away").wait_for()
    before = step(page)
    page.reload()
    page.get_by_role("button", name="Resume").click()
    page.wait_for_function(AT_A_LATER_STEP, arg=before)


def test_a_run_outlives_page_and_kill_and_becomes_the_default(page: Page, address: str, home: Path) -> None:
    page.goto(f"{address}/train")
    page.get_by_label("Recipe").click()
    page.get_by_role("option", name="mine").click()
    page.get_by_text("A model of a few kilobytes.").wait_for()
    page.get_by_role("button", name="Make the groups").click()
    steps = page.get_by_role("spinbutton", name="Steps")
    steps.fill("4000")
    steps.press("Enter")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/train?runs=*")
    page.wait_for_function(AT_A_LATER_STEP, arg=0)
    page.get_by_text("Stage 2: loss").wait_for()
    before = step(page)

    page.reload()
    page.get_by_text("Stage 2: loss").wait_for()
    (job,) = jobs.jobs(home / "jobs", "train")
    assert f"runs={job.job_id}" in page.url
    page.wait_for_function(AT_A_LATER_STEP, arg=before)
    kill_and_resume(page, job)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Resume").wait_for()
    assert jobs.status(job).state == "stopped"

    page.get_by_role("button", name="Export checkpoint").click()
    page.get_by_role("button", name="Make it the default model").click()
    page.get_by_role("button", name=re.compile("Undo: take back zoo-")).wait_for()
    assert (promoted_model(home) or "").startswith("zoo-")
