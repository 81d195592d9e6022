"""No page breaks a rule of accessibility that axe calls serious or critical, in light and in dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from prorank_ui import uploads
from tests.ui import test_browser as browser
from tests.ui.test_documents_page import File

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

page = browser.page
address = browser.address
PATIENCE_MS = 90_000
GRAVE = ("serious", "critical")


def violations(page: Page) -> list[str]:
    """Return what axe finds on a page as it is now."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}" for each in found if each["impact"] in GRAVE for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_compare_documents_and_status_break_no_grave_rule(
    page: Page, address: str, home: Path, scheme: Literal["light", "dark"]
) -> None:
    page.set_default_timeout(PATIENCE_MS)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/?q=barking+dog&index=animals&right=overlap")
    page.wait_for_selector(".pr-after .pr-title")
    page.get_by_text("Save or export").wait_for()
    assert violations(page) == []

    upload = uploads.keep([File(b"id,text\n1,The dogs bark.\n2\n")], home)
    page.goto(f"{address}/documents?upload={upload.upload_id}")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Of the first 2 records").wait_for()
    page.get_by_text("Details").click()
    page.get_by_text("Roll back, prune or delete an index").click()
    page.get_by_label("To delete it, type its name").wait_for()
    assert violations(page) == []

    page.goto(f"{address}/status")
    page.wait_for_selector(".ps-checks")
    assert violations(page) == []
