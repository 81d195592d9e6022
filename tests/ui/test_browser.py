"""The page in a real browser, started as a person starts it: `prorank ui`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui.conftest import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
STARTS_WITHIN_S = 180
PATIENCE_MS = 240_000
"""How long a page may take to show what it is asked for: machines of tests have other work too."""

pytestmark = pytest.mark.browser


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_served(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310 (loopback)
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"`prorank ui` did not serve {url}: exit status {server.poll()}")


@contextmanager
def served(stages: Path, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve the app with this process's environment, these second stages and more variables; yield its address."""
    port = free_port()
    command = [sys.executable, "-c", "from prorank_search.cli import main; main()", "ui", "--port", str(port)]
    path = os.pathsep.join(filter(None, [str(stages), os.environ.get("PYTHONPATH")]))
    server = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path, **(variables or {})})
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_served(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=STARTS_WITHIN_S)


@pytest.fixture
def address(animals: str, stages: Path) -> Iterator[str]:  # noqa: ARG001 (the index has to be there)
    """Start the app on a free port; return its address."""
    with served(stages) as url:
        yield url


@pytest.fixture
def page() -> Iterator[Page]:
    """Open a browser; skip where there is none, but not in CI."""
    if CHROMIUM is None:
        reason = "no chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE_MS)
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        browser.close()


def titles(page: Page, side: str) -> list[str]:
    return page.locator(f".{side} .pr-title").all_inner_texts()


def test_a_person_types_a_query_follows_both_sides_and_goes_back(page: Page, address: str) -> None:
    from playwright.sync_api import expect

    requests: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    page.goto(address)
    query = page.get_by_label("Query")
    query.fill("barking dog")
    query.press("Enter")
    page.wait_for_selector(".pr-after .pr-title")
    assert titles(page, "pr-before") == titles(page, "pr-after")[::-1]
    assert '<b>"Bold"</b>' in titles(page, "pr-after")
    assert "the best hit rose from 4 to 1: “" in page.locator(".pr-summary").inner_text()
    page.wait_for_url("**/?q=barking+dog&index=animals&left=bm25&right=reversing&*")

    query.fill("fox")
    query.press("Enter")
    page.wait_for_url("**/?q=fox&*right_revision=*")  # the answer is there
    page.go_back()
    expect(query).to_have_value("barking dog")  # waits: the page draws the older query anew
    page.wait_for_function("document.querySelectorAll('.pr-after .pr-title').length == 4")

    assert page.title() == "Compare · ProRank Search"
    assert dialogs == []
    assert [url for url in requests if url.startswith("http") and not url.startswith(address)] == []


def test_a_newcomers_first_click_shows_two_rankings_and_a_second_model_takes_the_left_one(
    page: Page, address: str
) -> None:
    from playwright.sync_api import expect

    page.goto(address)
    page.locator("[class*=st-key-example] button").first.click()
    for side in ("before", "after"):
        expect(page.locator(f".pr-{side} .pr-title")).to_have_count(4)
    page.get_by_role("button", name="Left: BM25").click()
    page.get_by_label("Ranking").click()
    page.get_by_role("option", name="overlap").click()
    page.wait_for_url(lambda url: "left=overlap" in url and "left_revision=overlap-1" in url)
    expect(page.locator(".pr-before h2")).to_have_text("overlap")
    expect(page.locator(".pr-after h2")).to_have_text("reversing-1")


def test_a_stage_and_an_engine_that_fail_are_shown_as_failed(page: Page, address: str, stages: Path) -> None:
    from playwright.sync_api import expect

    page.goto(f"{address}/?q=dog&index=animals&right=failing")
    page.get_by_text("No ranking from this stage").wait_for()
    expect(page.locator(".pr-after")).to_contain_text("the device ran out of memory")
    expect(page.locator(".pr-before .pr-title")).to_have_count(4)
    nobody = f"http://127.0.0.1:{free_port()}"
    with served(stages, {"PRORANK_URL": nobody, "PRORANK_BACKEND": "opensearch"}) as elsewhere:
        page.goto(elsewhere)
        page.get_by_text("The search failed").wait_for()
        assert nobody in page.locator(".pr-error").inner_text()


def test_the_first_search_is_one_step_back_and_the_next_one_starts_from_there(page: Page, address: str) -> None:
    from playwright.sync_api import expect

    page.goto(address)
    page.get_by_text("Type a query").wait_for()
    query = page.get_by_label("Query")
    query.fill("barking dog")
    query.press("Enter")
    page.wait_for_url("**/?q=barking+dog&*right_revision=*")
    page.go_back()
    expect(query).to_have_value("")
    page.get_by_text("Type a query").wait_for()
    query.fill("fox")
    query.press("Enter")
    page.wait_for_url("**/?q=fox&*right_revision=*")
    expect(page.locator(".pr-after .pr-title")).to_have_text(["Foxes"])


def test_whoever_looks_at_another_page_finds_the_search_again(page: Page, address: str) -> None:
    from playwright.sync_api import expect

    page.goto(f"{address}/?q=barking+dog&index=animals&right=overlap")
    page.wait_for_url("**/?q=barking+dog&*right_revision=*")
    for _ in range(2):
        page.get_by_role("link", name="Add documents").click()
        page.get_by_test_id("stFileUploader").wait_for()
        page.get_by_role("link", name="Compare").click()
        page.wait_for_url("**/?q=barking+dog&*right=overlap&*right_revision=*")
        expect(page.get_by_label("Query")).to_have_value("barking dog")
        page.wait_for_selector(".pr-after .pr-title")
    page.go_back()
    page.wait_for_url("**/documents")
    page.get_by_test_id("stFileUploader").wait_for()
    page.go_back()
    expect(page.get_by_label("Query")).to_have_value("barking dog")
    page.wait_for_selector(".pr-after .pr-title")


def test_a_search_is_given_up_when_its_browser_goes(page: Page, address: str, home: Path) -> None:
    page.goto(f"{address}/?q=dog&index=animals&right=endless")
    page.get_by_text("Rescoring …", exact=True).wait_for()
    assert not (home / "given-up").exists()
    page.close()
    wait_until((home / "given-up").exists, lambda: "the search goes on although nobody waits for it")


def test_both_sides_stand_below_each_other_in_a_narrow_window(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=dog")
    page.wait_for_selector(".pr-after .pr-title")

    def lefts() -> list[float]:
        boxes = [page.locator(side).bounding_box() for side in (".pr-before", ".pr-after")]
        return [box["x"] for box in boxes if box is not None]

    assert lefts()[0] < lefts()[1]
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function("document.documentElement.scrollWidth <= 400")
    assert lefts()[0] == lefts()[1]


def test_a_comparison_is_downloaded_as_a_file(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=barking+dog&index=animals&right=overlap")
    page.wait_for_selector(".pr-after .pr-title")
    page.get_by_role("button", name="Save or export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    assert download.value.suggested_filename == "comparison.json"
    assert json.loads(download.value.path().read_text("utf-8"))["chosen"]["q"] == "barking dog"


def test_a_click_on_a_title_opens_the_document_with_the_reason_for_its_rank(page: Page, address: str) -> None:
    from playwright.sync_api import expect

    page.goto(f"{address}/?q=barking+dog&index=animals&right=overlap")
    page.wait_for_selector(".pr-after .pr-title")
    panel = page.get_by_role("dialog")
    page.wait_for_selector("html[data-pr-hears]", state="attached")
    page.locator(".pr-after .pr-title", has_text="Dogs").click()
    expect(panel.locator(".pr-full")).to_have_text("The dog barks, the dog runs, the dog sleeps.")
    panel.get_by_role("button", name="Why this rank?").click()
    expect(panel.locator(".pr-why")).to_contain_text("The dog barks")
    expect(panel.get_by_text("One sentence: there is nothing to leave out.")).to_be_visible()
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)
    page.wait_for_selector(".pr-after .pr-title")
