"""Judge in a real browser: by keyboard alone, over a reload, behind a proxy that says who somebody is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from prorank_search.judgments import FILE_NAME, JudgmentStore
from prorank_search.judgments.pooling import Pooled
from prorank_search.types import Document, Query
from tests.ui import test_browser as browser
from tests.ui.camera import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

page = browser.page
address = browser.address
KEYS = "3021s30123"
GRADES = [3, 0, 2, 1, None, 3, 0, 1, 2, 3]
A_PERSON_LOOKS_MS = 500


@pytest.fixture
def store(animals: str, home: Path) -> Iterator[JudgmentStore]:
    """Return a store with a query whose pool has twelve hits."""
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries("dogs", animals, [Query("q1", "barking dog")])
    store.pool("dogs", "q1", [Pooled(Document(f"dog{at}", f"Dog {at} barks."), {"BM25": at}) for at in range(1, 13)])
    yield store
    store.close()


@contextmanager
def proxy(port: int, header: str) -> Iterator[str]:
    """Stand before a server and add a header to the first request of each connection; yield the address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def pass_on(source: socket.socket, target: socket.socket, first: bytes = b"") -> None:
        with suppress(OSError):
            target.sendall(first)
            while chunk := source.recv(65_536):
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def answer(caller: socket.socket) -> None:
        with suppress(OSError):  # a browser opens connections that it does not use
            line, _, rest = caller.recv(65_536).partition(b"\r\n")
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=pass_on, args=(server, caller), daemon=True).start()
            pass_on(caller, server, line + b"\r\n" + header.encode() + b"\r\n" + rest)

    def serve() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listening.accept()
                threading.Thread(target=answer, args=(caller,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


def wait_for_hit(page: Page, other_than: str = "") -> str:
    """Wait until a hit shows and the page is at rest, as a person does; return its document."""
    page.wait_for_function(
        "seen => { const card = document.querySelector('.jc-card'); return card && card.dataset.doc != seen; }",
        arg=other_than,
    )
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.get_by_role("button", name="Skip").wait_for()  # loaded at the first visit, after the card
    page.wait_for_timeout(A_PERSON_LOOKS_MS)
    return page.locator(".jc-card").get_attribute("data-doc") or ""


def begin(page: Page, address: str) -> str:
    """Open the set as somebody new; return the document of the first hit."""
    page.goto(f"{address}/judge?set=dogs")
    page.get_by_label("Your name").fill("ada")
    page.keyboard.press("Enter")
    return wait_for_hit(page)


def test_ten_hits_are_judged_by_keyboard_and_a_reload_loses_nothing(
    page: Page, address: str, store: JudgmentStore
) -> None:
    shown = [begin(page, address)]
    for key in KEYS:
        page.keyboard.press(key)
        shown.append(wait_for_hit(page, other_than=shown[-1]))
    said = [(one.doc_id, one.relevance, one.judge) for one in store.judgments("dogs")]
    assert said == [(doc_id, grade, "ada") for doc_id, grade in zip(shown, GRADES, strict=False)]

    page.reload()
    assert wait_for_hit(page) == shown[-1]
    assert "9 of its 12 hits judged" in page.get_by_test_id("stProgress").inner_text()

    page.keyboard.press("u")
    assert wait_for_hit(page, other_than=shown[-1]) == shown[-2]
    assert len(store.judgments("dogs")) == len(GRADES) - 1


def test_a_key_in_the_dialog_of_a_comment_judges_with_the_comment(
    page: Page, address: str, store: JudgmentStore
) -> None:
    from playwright.sync_api import expect

    first = begin(page, address)
    button, comment = page.get_by_role("button", name="Comment"), page.get_by_role("dialog").get_by_role("textbox")
    for _ in range(2):  # what is put away, by Escape, can be opened again
        page.keyboard.press("Escape")
        expect(comment).to_have_count(0)
        expect(button).to_be_enabled()
        page.keyboard.press("m")
        comment.fill("only the title fits")
        expect(button).to_be_disabled()
    page.keyboard.press("Tab")
    page.wait_for_timeout(A_PERSON_LOOKS_MS)
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.keyboard.press("2")
    wait_for_hit(page, other_than=first)
    (said,) = store.judgments("dogs")
    assert (said.doc_id, said.relevance, said.comment) == (first, 2, "only the title fits")


def test_a_key_that_is_pressed_three_times_at_once_judges_one_hit(
    page: Page, address: str, store: JudgmentStore
) -> None:
    first = begin(page, address)
    heard = page.locator("[data-pr-heard]").element_handle()
    assert heard is not None
    assert heard.inner_text() == f"Next hit: {first}. For: barking dog"
    page.evaluate(
        "for (let at = 0; at < 3; at++) document.body.dispatchEvent("
        "new KeyboardEvent('keydown', { key: '1', code: 'Digit1', bubbles: true }))"
    )
    second = wait_for_hit(page, other_than=first)
    assert [(one.doc_id, one.relevance) for one in store.judgments("dogs")] == [(first, 1)]
    assert heard.inner_text() == f"Next hit: {second}. For: barking dog"  # in the same place, or nobody hears it


def test_both_sides_of_a_comparison_are_judged(page: Page, address: str, store: JudgmentStore) -> None:
    page.goto(f"{address}/?q=fox&index=animals")
    page.get_by_role("button", name="Judge these hits").click()
    page.get_by_role("button", name="Judge", exact=True).click()
    page.get_by_label("Your name").fill("ada")
    page.keyboard.press("Enter")
    wait_for_hit(page)
    assert page.locator(".jc-query").inner_text() == "fox"
    (query,) = store.queries("animals from Compare").values()
    assert {name for hit in store.pooled("animals from Compare", query.query_id).values() for name in hit.ranks} == {
        "BM25",
        "reversing-1",
    }


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_USER_HEADER", "X-Forwarded-User")
    monkeypatch.setenv("PRORANK_TRUSTED_PROXIES", "127.0.0.1")


@pytest.mark.usefixtures("behind_a_proxy")
class TestBehindAProxy:
    def test_who_judges_is_whom_the_proxy_names(self, page: Page, address: str, store: JudgmentStore) -> None:
        with proxy(int(address.rpartition(":")[2]), "X-Forwarded-User: grace") as through:
            page.goto(f"{through}/judge?set=dogs")
            first = wait_for_hit(page)
            page.keyboard.press("2")
            wait_for_hit(page, other_than=first)
        assert [(one.judge, one.relevance) for one in store.judgments("dogs")] == [("grace", 2)]

    def test_nobody_judges_past_the_proxy(self, page: Page, address: str, store: JudgmentStore) -> None:
        page.goto(f"{address}/judge?set=dogs")
        page.get_by_text("the proxy does not say who you are").wait_for()
        assert page.locator(".jc-card").count() == 0
        assert store.judgments("dogs") == []


AWKWARD = '"><img src=x onerror=alert(1)> <script>alert(1)</script> כלב 🦊'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_awkward_names_and_texts_stay_texts_and_break_no_grave_rule_of_axe(
    page: Page, address: str, store: JudgmentStore, scheme: Literal["light", "dark"]
) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/judge?set=dogs")
    page.get_by_label("Your name").fill(AWKWARD)
    assert violations(page) == []
    page.keyboard.press("Enter")
    wait_for_hit(page)
    page.get_by_role("button", name="New set").click()
    page.get_by_label("Name", exact=True).fill(AWKWARD)
    page.get_by_label("One query a line").fill(f"dog {AWKWARD}\n{'x ' * 300_000}")
    assert violations(page) == []
    page.get_by_role("button", name="Make the set").click()
    page.get_by_text("Query 1 of 2: 0 of its").wait_for()
    wait_for_hit(page)
    assert page.locator(".jc-query").inner_text() == f"dog {AWKWARD}"
    page.keyboard.press("3")
    page.get_by_text("Judged here: 1").click()
    page.get_by_text("Judge again").wait_for()
    assert violations(page) == []
    assert [(one.judge, one.relevance) for one in store.judgments(AWKWARD) if one.origin == "person"] == [(AWKWARD, 3)]
    assert dialogs == []
