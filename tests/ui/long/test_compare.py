"""Compare in every state worth seeing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ui.camera import Camera
from tests.ui.installation import INDEX, QUESTIONS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_before_and_after_a_query(camera: Camera, page: Page, address: str) -> None:
    page.goto(f"{address}/?index={INDEX}")
    page.get_by_text("Type a query").wait_for()
    camera.look("compare-invitation")
    open_comparison(page, address)
    camera.look("compare-filled")
    page.get_by_text("Moved up", exact=True).click()
    page.get_by_text("All movements").click()
    page.wait_for_selector("canvas, svg.marks")
    camera.look("compare-movements")
    assert camera.faults == []


def test_the_fields_of_a_side_and_a_kept_comparison(camera: Camera, page: Page, address: str) -> None:
    open_comparison(page, address)
    page.get_by_role("button", name="Right: shared-words").click()
    page.get_by_label("What counts as relevant").wait_for()
    camera.look("compare-side")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save or export").click()
    page.get_by_role("button", name="Save under a short address").click()
    page.get_by_text("?saved=").wait_for()
    camera.look("compare-save")
    assert camera.faults == []


def test_a_document_in_full_with_the_reason_for_its_rank(camera: Camera, page: Page, address: str) -> None:
    open_comparison(page, address)
    panel = page.get_by_role("dialog")
    while not panel.is_visible():  # what hears the clicks is loaded after the hits are there
        page.locator(".pr-after .pr-title").first.dispatch_event("click")
        page.wait_for_timeout(2_000)
    panel.get_by_role("button", name="Why this rank?").first.click()
    panel.locator(".pr-why").wait_for()
    camera.look("compare-document")
    assert camera.faults == []


@pytest.mark.parametrize(
    ("stage", "shows"),
    [
        ("failing", "No ranking from this stage"),
        ("missing", "The model is not on this machine"),
        ("partial", "Only a part was rescored"),
    ],
)
def test_a_second_stage_that_does_not_do_all_its_work(
    camera: Camera, page: Page, address: str, stage: str, shows: str
) -> None:
    page.goto(f"{address}/?q={QUESTIONS[1]}&index={INDEX}&right={stage}")
    page.get_by_text(shows).first.wait_for()
    camera.look(f"compare-{stage}")
    assert camera.faults == []


def test_a_second_stage_that_is_at_work_until_another_query_is_asked(camera: Camera, page: Page, address: str) -> None:
    page.goto(f"{address}/?q={QUESTIONS[1]}&index={INDEX}&right=endless")
    page.get_by_text("Rescoring …").first.wait_for()
    camera.look("compare-endless")
    page.get_by_label("Query").fill("zyzzyva")
    page.keyboard.press("Enter")
    page.get_by_text("No document holds a word").wait_for()
    assert camera.faults == []


def test_a_query_for_which_nothing_is_found(camera: Camera, page: Page, address: str) -> None:
    page.goto(f"{address}/?q=zyzzyva&index={INDEX}")
    page.get_by_text("No document holds a word").wait_for()
    camera.look("compare-nothing")
    assert camera.faults == []


def open_comparison(page: Page, address: str) -> None:
    page.goto(f"{address}/?q={QUESTIONS[0]}&index={INDEX}")
    page.wait_for_selector(".pr-after .pr-title")
    page.get_by_role("button", name="Save or export").wait_for()
