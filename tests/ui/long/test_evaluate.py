"""Evaluate in every state worth seeing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search import jobs
from prorank_search.profiles import Profile
from prorank_search.settings import load_settings
from prorank_ui.choices import Side
from prorank_ui.evaluate import evaluating
from prorank_ui.evaluate.evaluating import EvaluationWish, Source
from tests.ui.camera import Camera
from tests.ui.installation import INDEX, QUERY_SET, at_work

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]
BLEND = "total:zscore:1:1"


def test_the_form(camera: Camera, page: Page, address: str) -> None:
    page.goto(f"{address}/evaluate")
    page.get_by_role("button", name="Start", exact=True).wait_for()
    camera.look("evaluate-form")
    assert camera.faults == []


def test_a_run_that_has_ended_and_others_that_have_not(camera: Camera, page: Page, address: str, home: Path) -> None:
    finished = start(home, Side(), Side("shared-words", window="20"), Side("overlap", window="20", blend=BLEND))
    page.goto(f"{address}/evaluate")
    page.locator(".ch-row a").first.wait_for()
    assert jobs.status(finished).state == "finished", jobs.output(finished)
    for part in ("Every measure", "Quality against cost", "Slices"):
        page.get_by_text(part, exact=True).click()
    page.wait_for_selector("canvas, svg.marks")
    camera.look("evaluate-filled")

    start(home, Side("nobody"))
    jobs.stop(at_work(home, evaluating.KIND, f"{QUERY_SET}: BM25, endless"))
    running = at_work(home, evaluating.KIND, f"{QUERY_SET}: BM25, prorank")
    told = {"done": 1200, "total": 3000, "doing": "prorank"}
    (running.folder / "progress.json").write_text(json.dumps(told), encoding="utf-8")
    page.goto(f"{address}/evaluate?run={finished.job_id}")
    page.get_by_text("1,200 of 3,000").wait_for()
    page.get_by_text("This evaluation failed").wait_for()
    camera.look("evaluate-jobs")
    jobs.stop(running)
    assert camera.faults == []


def start(home: Path, *sides: Side) -> jobs.Job:
    wish = EvaluationWish(Source(QUERY_SET, INDEX), "test", INDEX, sides)
    return evaluating.start(home, wish, load_settings(index=INDEX), Profile())
