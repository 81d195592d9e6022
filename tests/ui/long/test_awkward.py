"""Every field of every page, filled by a browser with what nobody should type: nothing is executed, nothing breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search import jobs
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.types import Query
from tests import tiny_model
from tests.ui.installation import INDEX, QUESTIONS, ended
from tests.ui.long.conftest import ask_who_judges, open_desk
from tests.ui.test_awkward_input import AWKWARD, PAGES, TEXTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]

FIELDS = ", ".join(f"{each}:visible:not([inert] *)" for each in ("input[type=text]", "input[type=number]", "textarea"))
"""Fields that a person can reach: those behind a dialog are inert."""

SENDS = "Control+Enter"
LOOKS_AGAIN_MS = 1_500


def open_compare(page: Page, address: str) -> None:
    page.goto(f"{address}/?q={QUESTIONS[0]}&index={INDEX}")
    page.get_by_role("button", name="Judge these hits").wait_for()


def open_side(page: Page, address: str) -> None:
    open_compare(page, address)
    page.get_by_role("button", name="Right: shared-words").click()
    page.get_by_label("What counts as relevant").wait_for()


def open_judge_these(page: Page, address: str) -> None:
    open_compare(page, address)
    page.get_by_role("button", name="Judge these hits").click()


def open_new_set(page: Page, address: str) -> None:
    open_desk(page, address)
    page.get_by_role("button", name="New set").click()
    page.get_by_label("One query a line").wait_for()


def open_comment(page: Page, address: str) -> None:
    open_desk(page, address)
    page.get_by_role("button", name="Comment").click()
    page.get_by_label("What should be known").wait_for()


def open_exchange(page: Page, address: str) -> None:
    open_desk(page, address)
    page.get_by_role("button", name="Import, export").click()
    page.get_by_label("Judged by").wait_for()


def open_system(page: Page, address: str) -> None:
    page.goto(f"{address}/evaluate")
    page.get_by_role("button", name="System 2").click()


def open_checkpoint(page: Page, address: str) -> None:
    page.goto(f"{address}/train")
    page.get_by_label("on the query").wait_for()


def open_upload(page: Page, address: str) -> None:
    from playwright.sync_api import FilePayload

    page.goto(f"{address}/documents")
    page.get_by_test_id("stFileUploader").wait_for()
    file = FilePayload(name="zoo.csv", mimeType="text/csv", buffer=b"id,text\n1,dog\n")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("Details").click()
    page.get_by_text("Roll back, prune or delete an index").click()
    page.get_by_label("To delete it").wait_for()


FORMS: dict[str, Callable[[Page, str], None]] = {
    "a query": open_compare,
    "a side": open_side,
    "judge these hits": open_judge_these,
    "who judges": ask_who_judges,
    "a new set": open_new_set,
    "a comment": open_comment,
    "import": open_exchange,
    "a system": open_system,
    "a checkpoint": open_checkpoint,
    "an upload": open_upload,
}


@pytest.fixture
def happened(page: Page, address: str) -> list[str]:
    """Return what must not happen on a page: dialogs, errors of scripts, calls of other hosts."""
    found: list[str] = []
    page.on("dialog", lambda dialog: found.append(dialog.message))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "request",
        lambda request: (
            found.append(request.url)
            if request.url.startswith("http") and not request.url.startswith(address)
            else None
        ),
    )
    return found


@pytest.fixture
def checkpoint(home: Path) -> None:
    """Leave a run with a checkpoint, which has a field for a query."""
    if not jobs.jobs(home / "jobs", "train"):
        tiny_model.write_contract(tiny_model.write_model(ended(home, "train", "a run").folder / "checkpoint"), name="a")


@pytest.mark.usefixtures("checkpoint")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_text_in_every_field(page: Page, address: str, happened: list[str], form: Callable[[Page, str], None]) -> None:
    fields = page.locator(FIELDS)
    for text in TEXTS.values():
        form(page, address)
        fields.first.wait_for()
        for at in range(fields.count()):
            is_number = fields.nth(at).get_attribute("type") == "number"
            fields.nth(at).fill("1e999" if is_number else text)
        page.keyboard.press(SENDS)
        page.wait_for_timeout(LOOKS_AGAIN_MS)
        page.wait_for_selector("h1")  # by its role it cannot be found while a list is open
        assert page.get_by_test_id("stException").count() == 0
    assert happened == []


@pytest.mark.parametrize("path", ["", *PAGES[1:]])
def test_names_on_every_page(page: Page, address: str, home: Path, happened: list[str], path: str) -> None:
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries(AWKWARD, INDEX, [Query("1", f"yield {AWKWARD}")])
    store.judge(Judgment(AWKWARD, "1", "yield", AWKWARD, 3))
    store.close()
    for kind in ("evaluate", "train", "ingest", "groups"):
        if AWKWARD not in {job.title for job in jobs.jobs(home / "jobs", kind)}:
            ended(home, kind, AWKWARD, printed=f"error: {AWKWARD}", exit_code=5)
    page.goto(f"{address}/{path}")
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_timeout(LOOKS_AGAIN_MS)
    assert page.get_by_test_id("stException").count() == 0
    assert happened == []
