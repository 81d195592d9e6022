"""Status while the checks are done, and when they are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search import jobs
from tests.ui.camera import Camera
from tests.ui.installation import at_work, ended

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_checks_jobs_models_and_versions(camera: Camera, page: Page, address: str, home: Path) -> None:
    ended(home, "evaluate", "questions: BM25, nobody", printed="error: no plugin 'nobody'", exit_code=2)
    time.sleep(1)  # jobs of one second have no order, and the newest is the one whose output is shown
    running = at_work(home, "train", "questions · from tiny", printed="step 80 of 200")
    page.goto(f"{address}/status")
    page.get_by_text("Looking at model, engine").wait_for()
    camera.look("status-checking")
    page.wait_for_selector(".ps-checks")
    page.get_by_text("What a job printed").click()
    page.get_by_text("step 80 of 200").wait_for()
    camera.look("status-filled")
    jobs.stop(running)
    assert camera.faults == []
