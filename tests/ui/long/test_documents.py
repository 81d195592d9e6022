"""Add documents in every state worth seeing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search import jobs
from tests.ui.camera import Camera
from tests.ui.installation import at_work, ended

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]
ROWS = (
    b"id,title,text,price\n1,Otters,An otter swims in the river.,3\n2,Hens,Hens lay eggs in the barn.,5\n3\n"
    b"4,Foxes,A fox runs over the field.,8\n"
)


def test_from_the_upload_to_the_index(camera: Camera, page: Page, address: str, tmp_path: Path) -> None:
    table = tmp_path / "animals of mine.csv"
    table.write_bytes(ROWS)
    page.goto(f"{address}/documents")
    page.get_by_test_id("stFileUploader").wait_for()
    camera.look("documents-upload")
    page.locator("input[type=file]").set_input_files(table)
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Of the first 4 records 1 cannot be used").wait_for()
    page.get_by_text("Details").click()
    camera.look("documents-preview")
    page.get_by_role("button", name="Start").click()
    page.get_by_text("finished, with bad records").wait_for()
    page.get_by_text("1 bad record", exact=True).click()
    page.get_by_text("Roll back, prune or delete an index").click()
    page.get_by_label("To delete it").fill("another")
    page.get_by_role("button", name="Delete the index").click()
    page.get_by_text("nothing was deleted").wait_for()
    camera.look("documents-finished")
    assert page.get_by_label("To delete it").is_visible()  # a complaint closes nothing
    assert camera.faults == []


def test_ingests_under_way_failed_and_stopped(camera: Camera, page: Page, address: str, home: Path) -> None:
    progress = json.dumps({"documents": 12400, "docs_per_s": 812.4, "bad_records": 3, "share_read": 0.41})
    running = at_work(home, "ingest", "handbook.jsonl into handbook", printed=progress)
    complaint = "error: 'No Name!' cannot be an index name: lower-case letters, digits, - and _"
    ended(home, "ingest", "letters.csv into No Name!", printed=complaint, exit_code=2)
    jobs.stop(at_work(home, "ingest", "archive.csv into archive", printed=progress))
    page.goto(f"{address}/documents")
    page.get_by_text("12,400 documents, 812 a second").first.wait_for()
    camera.look("documents-jobs")
    jobs.stop(running)
    assert camera.faults == []
