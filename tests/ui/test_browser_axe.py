"""No page breaks a rule of accessibility that axe calls serious or critical, wide and narrow, in light and in dark.

Judge is looked at in `test_browser_judge`; every state of every page by `make test-ui`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_ui.documents import uploads
from tests.ui import test_browser as browser
from tests.ui import test_browser_evaluate as evaluate
from tests.ui.camera import THEMES, WINDOWS, violations
from tests.ui.test_documents_page import File
from tests.ui.test_train_page import job_left
from tests.ui.test_training_runs import scores, write_metrics

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

page = browser.page
address = browser.address
query_set = evaluate.query_set


def of_both_themes(page: Page) -> list[str]:
    """Return what axe finds on a page as it is now, in light and in dark."""
    found = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(500)
        found += [f"{theme}: {each}" for each in violations(page)]
    return found


@pytest.mark.usefixtures("query_set")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_breaks_a_grave_rule(page: Page, address: str, home: Path, window: str) -> None:
    width, height = WINDOWS[window]
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{address}/?q=barking+dog&index=animals&right=overlap")
    page.wait_for_selector(".pr-after .pr-title")
    page.get_by_text("Save or export").wait_for()
    assert of_both_themes(page) == []

    page.goto(f"{address}/evaluate")
    page.get_by_role("button", name="Start", exact=True).wait_for()
    assert of_both_themes(page) == []

    write_metrics(job_left(home, "train", exit_code=5), scores(4))
    page.goto(f"{address}/train")
    page.get_by_text("The run failed").wait_for()
    page.get_by_text("Stage 2: loss").wait_for()
    page.get_by_text("New run").click()
    assert of_both_themes(page) == []

    upload = uploads.keep([File(b"id,text\n1,The dogs bark.\n2\n")], home)
    page.goto(f"{address}/documents?upload={upload.upload_id}")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Of the first 2 records").wait_for()
    page.get_by_text("Details").click()
    page.get_by_text("Roll back, prune or delete an index").click()
    page.get_by_label("To delete it, type its name").wait_for()
    assert of_both_themes(page) == []

    page.goto(f"{address}/status")
    page.wait_for_selector(".ps-checks")
    assert of_both_themes(page) == []
