"""Train in every state worth seeing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prorank_search import jobs
from prorank_ui.train import held_back
from prorank_ui.train.held_back import Pair
from tests import tiny_model
from tests.ui import installation
from tests.ui.camera import Camera
from tests.ui.installation import QUERY_SET, at_work, ended
from tests.ui.test_held_back import results_left
from tests.ui.test_train_page import job_left

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]
TITLE = f"{QUERY_SET} · from tiny"
PLAN: dict[str, Any] = {
    "recipe": "judgments",
    "base": "tiny",
    "query_sets": {QUERY_SET: 54},
    "collections": [],
    "mistakes_of": "",
}


def test_from_the_form_to_the_groups(camera: Camera, page: Page, address: str, home: Path) -> None:
    page.goto(f"{address}/train")
    page.get_by_role("button", name="Make the groups").wait_for()
    camera.look("train-form")
    ended(home, "groups", TITLE, printed="error: the index 'python' is gone", exit_code=4, **PLAN)
    page.goto(f"{address}/train")
    page.get_by_text("The groups were not made").wait_for()
    camera.look("train-groups-failed")
    making = at_work(home, "groups", TITLE, printed="questions: 31 of 54 judged documents scored", **PLAN)
    page.goto(f"{address}/train")
    page.get_by_text("Making the groups").wait_for()
    camera.look("train-groups-running")
    jobs.stop(making)
    groups(home)
    page.goto(f"{address}/train")
    page.get_by_role("button", name="Start training").wait_for()
    page.get_by_text("Look at a few").click()
    camera.look("train-groups")
    assert camera.faults == []


def test_a_run_under_way(camera: Camera, page: Page, address: str, home: Path) -> None:
    about = PLAN | {"data": str(groups(home))}
    running = at_work(home, "train", TITLE, printed="step 80 of 200", **about)
    installation.write_curves(running.folder, until=80)
    (running.folder / "score.state.pt").write_bytes(b"")
    page.goto(f"{address}/train?runs={running.job_id}")
    page.get_by_text("Stage 2: loss").wait_for()
    camera.look("train-running")
    jobs.stop(running)
    assert camera.faults == []


def test_runs_that_ended_and_a_model_that_is_promoted(camera: Camera, page: Page, address: str, home: Path) -> None:
    about = PLAN | {"data": str(groups(home))}
    finished = finished_run(home, about)
    page.goto(f"{address}/train?runs={finished.job_id}")
    page.get_by_role("button", name="Make it the default model").wait_for()
    page.get_by_text("Stage 2: loss").wait_for()
    camera.look("train-finished")

    failed = ended(home, "train", "a run that failed", printed="error: memory ran out", exit_code=5, **about)
    interrupted = job_left(home, "train", name="20200101-000000-aaaaaa", **about)
    installation.write_curves(interrupted, until=20)
    page.goto(f"{address}/train?runs={finished.job_id},{failed.job_id},{interrupted.name}")
    page.get_by_text("memory ran out").first.wait_for()
    page.get_by_text("Stage 2: loss").wait_for()
    camera.look("train-several")

    page.goto(f"{address}/train?runs={finished.job_id}")
    page.get_by_role("button", name="Make it the default model").click()
    undo = page.get_by_role("button", name="Undo: take back")
    undo.wait_for()
    camera.look("train-promoted")
    undo.click()
    undo.wait_for(state="detached")
    assert camera.faults == []


def test_a_model_is_tested_on_held_back_judgments(camera: Camera, page: Page, address: str, home: Path) -> None:
    finished = finished_run(home, PLAN | {"data": str(groups(home))})
    page.goto(f"{address}/train?runs={finished.job_id}")
    page.get_by_role("button", name="Test both").wait_for()
    page.get_by_text("Not tested against tiny yet").wait_for()
    camera.look("train-not-tested")
    asked: dict[str, Any] = Pair(finished.job_id, finished.folder / "checkpoint", "tiny").about() | {
        "query_set": QUERY_SET
    }
    results_left(ended(home, held_back.KIND, "a test", **asked).folder, better=9)
    page.reload()
    page.get_by_text("Better on 12 held-back queries").wait_for()
    camera.look("train-tested")
    assert camera.faults == []


def finished_run(home: Path, about: Mapping[str, Any]) -> jobs.Job:
    run = ended(home, "train", TITLE, printed="the checkpoint is written", **about)
    installation.write_curves(run.folder, pace=60)
    checkpoint = tiny_model.write_model(run.folder / "checkpoint")
    dev = {QUERY_SET: {"bm25": 0.612, "model": 0.701, "blend": 0.738, "queries": 6.0}}
    tiny_model.write_contract(checkpoint, name="questions", results={"dev": {"measure": "nDCG@10", "collections": dev}})
    return run


def groups(home: Path) -> Path:
    folder = ended(home, "groups", TITLE, **PLAN).folder
    installation.write_groups(folder)
    return folder
