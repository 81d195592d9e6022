"""Every page of an installation in which there is nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ui.camera import Camera
from tests.ui.long.conftest import name_oneself

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.mark.parametrize(
    ("path", "shows"),
    [
        ("", "There is no index yet"),
        ("evaluate", "There is no index yet"),
        ("train", "No run yet"),
        ("documents", "None yet: upload a file above"),
        ("status", "Versions"),
    ],
)
def test_a_page_says_what_to_do_first(camera: Camera, page: Page, bare: str, path: str, shows: str) -> None:
    page.goto(f"{bare}/{path}")
    page.get_by_text(shows).first.wait_for()
    if path == "status":
        page.wait_for_selector(".ps-checks")
    camera.look(f"{path or 'compare'}-first-visit")
    assert camera.faults == []


def test_judge_asks_who_judges_before_it_says_what_to_do(camera: Camera, page: Page, bare: str) -> None:
    page.goto(f"{bare}/judge")
    page.get_by_text("Who judges?").wait_for()
    camera.look("judge-who")
    name_oneself(page)
    page.get_by_text("There is no index yet").wait_for()
    camera.look("judge-first-visit")
    assert camera.faults == []


def test_the_way_to_the_first_documents_is_a_click(page: Page, bare: str) -> None:
    page.goto(bare)
    page.get_by_role("button", name="Add documents").click()
    page.wait_for_url("**/documents")
    page.get_by_test_id("stFileUploader").wait_for()
