"""Judge in every state worth seeing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search.judgments import FILE_NAME, JudgmentStore
from prorank_search.types import Query
from tests.ui.camera import Camera
from tests.ui.installation import INDEX, QUERY_SET
from tests.ui.long.conftest import name_oneself, open_desk

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_hits_one_after_another(camera: Camera, page: Page, address: str, home: Path) -> None:  # noqa: ARG001
    open_desk(page, address)
    camera.look("judge-hit")
    page.get_by_role("button", name="What is judged").click()
    page.get_by_text("Show ranks").click()
    page.get_by_text("Show what a model proposes").click()
    page.get_by_text("proposes").first.wait_for()
    camera.look("judge-what")
    page.keyboard.press("Escape")
    for grade in ("perfect", "marginal"):
        before = page.locator(".jc-card").get_attribute("data-doc")
        page.wait_for_timeout(1_000)
        page.get_by_role("button", name=grade).click()
        page.wait_for_function("seen => document.querySelector('.jc-card')?.dataset.doc != seen", arg=before)
    page.get_by_text("Judged here: 2").click()
    page.get_by_text("Agreement of").click()
    page.get_by_text("judged by two or more").wait_for()
    camera.look("judge-said")
    assert camera.faults == []


def test_a_comment_and_what_goes_in_and_out(camera: Camera, page: Page, address: str) -> None:
    open_desk(page, address)
    page.get_by_role("button", name="Comment").click()
    page.get_by_label("What should be known").fill("The title promises more than the text holds.")
    camera.look("judge-comment")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Import, export").click()
    page.get_by_role("button", name="Download").wait_for()
    camera.look("judge-exchange")
    assert camera.faults == []


def test_the_form_of_a_new_set(camera: Camera, page: Page, address: str) -> None:
    open_desk(page, address)
    page.get_by_role("button", name="New set").click()
    page.get_by_label("One query a line").fill("what is a coroutine\nhow do I open a file")
    camera.look("judge-new-set")
    page.get_by_text("A file", exact=True).click()
    page.get_by_role("dialog").get_by_test_id("stFileUploader").wait_for()
    camera.look("judge-new-set-file")
    page.get_by_text("A BEIR folder", exact=True).click()
    page.get_by_text("There is no BEIR folder yet").wait_for()
    page.get_by_label("Name", exact=True).fill("beir")
    page.get_by_role("button", name="Make the set").click()
    page.get_by_text("The set was not made").wait_for()
    complaint = page.get_by_role("dialog").locator(".pr-error")
    assert complaint.evaluate("part => getComputedStyle(part).colorScheme") == "light dark"
    camera.look("judge-new-set-folder")
    assert camera.faults == []


@pytest.mark.parametrize(
    ("name", "rest", "shows"),
    [
        ("nothing-skipped", f"set={QUERY_SET}&which=skipped", "You skipped no hit"),
        ("nothing-found", "set=nothing+found", "No system finds anything"),
        ("stage-failed", "set=stage+fails&second=failing", "out of memory"),
        ("index-gone", "set=index+gone", "'gone'"),
    ],
)
def test_a_desk_without_a_hit(  # noqa: PLR0913 (fixtures, and what differs)
    camera: Camera, page: Page, address: str, home: Path, name: str, rest: str, shows: str
) -> None:
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries("nothing found", INDEX, [Query("q1", "zyzzyva")])
    store.add_queries("stage fails", INDEX, [Query("q1", "what is a coroutine")])
    store.add_queries("index gone", "gone", [Query("q1", "what is a coroutine")])
    store.close()
    page.goto(f"{address}/judge?{rest}")
    name_oneself(page)
    page.get_by_text(shows).first.wait_for()
    camera.look(f"judge-{name}")
    assert camera.faults == []
