"""Evaluate in a real browser: a run is started, ends, and one of its queries opens in Compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.types import Query
from tests.ui import test_browser as browser
from tests.ui.test_browser_judge import wait_for_hit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

page = browser.page
address = browser.address


@pytest.fixture
def query_set(animals: str, home: Path) -> str:
    """A query set with judgments over the animals."""
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries("zoo", animals, [Query("1", "a fox at the dog"), Query("2", "barking dog")])
    store.judge(Judgment("zoo", "1", "fox", "ada", 3), Judgment("zoo", "2", "hebrew", "ada", 2))
    store.close()
    return "zoo"


def test_what_is_judged_changes_what_the_next_run_measures(query_set: str, page: Page, address: str) -> None:
    page.goto(f"{address}/evaluate")
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".ch-row a").first.wait_for()
    before = page.locator(".pt-table").first.inner_text()
    page.goto(f"{address}/judge?set={query_set}")
    page.get_by_label("Your name").fill("bo")
    page.keyboard.press("Enter")
    shown = wait_for_hit(page)
    for _ in range(3):
        page.keyboard.press("3")
        shown = wait_for_hit(page, other_than=shown)
    page.get_by_role("link", name="Evaluate").click()
    page.get_by_text("New evaluation").click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(
        "before => (document.querySelector('.pt-table')?.innerText ?? before) !== before", arg=before
    )
    after = page.locator(".pt-table").first.inner_text()
    assert before.splitlines()[0] == after.splitlines()[0]  # the same measure and systems


def test_a_person_starts_a_run_and_opens_a_query_in_compare(query_set: str, page: Page, address: str) -> None:
    page.goto(f"{address}/evaluate")
    start = page.get_by_role("button", name="Start", exact=True)
    start.wait_for()
    assert page.get_by_label("Queries and judgments").input_value() == f"{query_set} (2 queries)"
    start.click()
    row = page.locator(".ch-row a").first
    row.wait_for()
    assert page.locator(".pt-table").first.inner_text().count("reversing") == 1
    page.wait_for_url("**/evaluate?run=*&measure=ndcg%4010&*")
    with page.expect_popup() as opened:
        row.click()
    compare = opened.value
    compare.wait_for_selector(".pr-after .pr-title")
    compare.wait_for_url("**/?q=*&index=animals&left=bm25&right=reversing&right_window=30&*")
