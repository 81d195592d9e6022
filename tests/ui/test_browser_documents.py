"""Add documents in a real browser: a file goes up, becomes an index, and is searched in Compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui import test_browser as browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

page = browser.page
address = browser.address
ROWS = 'id,title,text\n1,Otters,"An otter <img src=x onerror=alert(1)> swims."\n2,Hens,Hens lay eggs.\n3\n'


def test_a_person_uploads_a_table_looks_starts_and_searches_it(page: Page, address: str, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    table = tmp_path / "zoo of mine.csv"
    table.write_text(ROWS, encoding="utf-8")

    page.goto(f"{address}/documents")
    page.wait_for_selector("[data-testid=stFileUploader]")
    page.locator("input[type=file]").set_input_files(table)
    expect(page.get_by_role("textbox", name="Add to index")).to_have_value("zoo-of-mine")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Of the first 3 records 1 cannot be used")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Uploaded: zoo of mine.csv")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("finished, with bad records")).to_be_visible()
    expect(page.get_by_role("cell", name="zoo-of-mine", exact=True)).to_be_visible()

    page.goto(f"{address}/?q=otter&index=zoo-of-mine&right=overlap")
    page.wait_for_selector(".pr-after .pr-title")
    assert browser.titles(page, "pr-after") == ["Otters"]
    assert dialogs == []
