"""A person at a page that asks a service, and people behind a proxy that says who they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prorank_search.judgments import FILE_NAME, JudgmentStore
from tests.ui.a_service import AService, a_service
from tests.ui.camera import violations
from tests.ui.conftest import DOCUMENTS
from tests.ui.test_browser import address, free_port, page, titles
from tests.ui.test_browser_judge import proxy

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["address", "page"]  # fixtures

pytestmark = pytest.mark.browser

A_TRUSTED_PROXY = "10.0.0.7"
NEEDS_OPERATOR = "This page needs the role operator"


@pytest.fixture
def service(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AService]:
    """Run a service, and name it in the settings of the page."""
    folder = home / "the-service"
    folder.mkdir()
    with a_service(folder, free_port(), DOCUMENTS) as running:
        monkeypatch.delenv("PRORANK_RESCORER")
        monkeypatch.setenv("PRORANK_API_URL", running.url)
        monkeypatch.setenv("PRORANK_API_KEY", running.key)
        yield running


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_USER_HEADER", "X-Forwarded-User")
    monkeypatch.setenv("PRORANK_ROLE_HEADER", "X-Role")
    monkeypatch.setenv("PRORANK_TRUSTED_PROXIES", "127.0.0.1")


def test_a_person_compares_looks_at_the_reason_and_at_the_service(service: AService, page: Page, address: str) -> None:
    page.goto(address)
    query = page.get_by_label("Query")
    query.fill("barking dog")
    query.press("Enter")
    page.wait_for_selector(".pr-after .pr-title")
    assert len(titles(page, "pr-before")) == len(titles(page, "pr-after")) == len(DOCUMENTS)
    page.wait_for_url("**/?q=barking+dog&index=animals&left=bm25&right=service&*right_revision=overlap-1*")
    assert "overlap" in page.locator(".pr-after header").inner_text()

    page.goto(f"{address}/?q=barking+dog&index=animals&right=service&right_revision=overlap-0")
    page.get_by_text("The right side no longer scores as it did when this link was made").wait_for()

    page.goto(f"{address}/status")
    page.get_by_text(f"answers at {service.url}; ready").wait_for()
    page.get_by_text("1: animals (4 documents)").wait_for()
    assert violations(page) == []

    page.goto(f"{address}/train")
    page.get_by_text("This page needs a local installation").wait_for()
    assert violations(page) == []


@pytest.mark.usefixtures("behind_a_proxy", "animals")
class TestRoles:
    """What a proxy's word is worth."""

    def test_a_viewer_and_an_operator_come_through_the_proxy(self, page: Page, address: str) -> None:
        port = int(address.rpartition(":")[2])
        with proxy(port, "X-Forwarded-User: vera\r\nX-Role: viewer\r\nX-Forwarded-For: 192.0.2.33") as through:
            page.goto(f"{through}/documents")
            page.get_by_text(NEEDS_OPERATOR).wait_for()
            page.get_by_text("You are vera, with the role viewer").wait_for()
            page.goto(f"{through}/?q=dog&index=animals")
            page.wait_for_selector(".pr-after .pr-title")
        with proxy(port, "X-Forwarded-User: olga\r\nX-Role: operator\r\nX-Forwarded-For: 192.0.2.33") as through:
            page.goto(f"{through}/documents")
            page.get_by_text("Roll back, prune or delete an index").wait_for()

    def test_a_header_that_the_browser_sent_beside_the_proxys_own_is_refused(self, page: Page, address: str) -> None:
        header = "X-Forwarded-User: eve\r\nX-Role: viewer\r\nX-Role: operator"
        with proxy(int(address.rpartition(":")[2]), header) as through:
            page.goto(f"{through}/documents")
            page.get_by_text("the header 'X-Role' came 2 times").wait_for()


@pytest.fixture
def another_proxy(monkeypatch: pytest.MonkeyPatch, behind_a_proxy: None) -> None:
    del behind_a_proxy
    monkeypatch.setenv("PRORANK_TRUSTED_PROXIES", A_TRUSTED_PROXY)


@pytest.mark.usefixtures("another_proxy", "animals")
def test_headers_from_an_untrusted_peer_are_worth_nothing_even_if_it_claims_the_proxys_address(
    page: Page, address: str, home: Path
) -> None:
    forged = f"X-Forwarded-For: {A_TRUSTED_PROXY}\r\nX-Forwarded-User: eve\r\nX-Role: operator"
    with proxy(int(address.rpartition(":")[2]), forged) as through:
        for path in ("documents", "judge", "train", "?q=dog&index=animals"):
            page.goto(f"{through}/{path}")
            page.get_by_text("127.0.0.1 is none of the trusted_proxies").wait_for()
            assert page.locator(".pr-title").count() == 0
    store = JudgmentStore(home / FILE_NAME)
    assert store.query_sets() == []
    store.close()
