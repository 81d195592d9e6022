"""What the address says of a page's fields, in Streamlit's runner; the browser's part is in `test_browser`."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import PATIENCE_S, address_of

SCRIPT = """
import streamlit as st
from prorank_ui import address

page = st.session_state.get("go to", "Search")
address.enter(page)
if page == "Search":
    address.follow("q", "index")
    address.write({"q": st.text_input("Query", key="q"), "index": st.text_input("Index", key="index")})
"""


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_string(SCRIPT, default_timeout=PATIENCE_S)
    app.query_params.update({"q": "fox", "index": "animals"})
    return app.run()


def go_to(app: AppTest, page: str, **link: str) -> None:
    """Change the page as Streamlit does: the address is dropped, but for a link's own."""
    app.query_params.clear()
    app.query_params.update(link)
    app.session_state["go to"] = page
    app.run()


def fields(app: AppTest) -> tuple[str | None, str | None]:
    return app.text_input(key="q").value, app.text_input(key="index").value


def test_a_link_fills_the_fields_and_a_field_changes_the_address(app: AppTest) -> None:
    assert fields(app) == ("fox", "animals")
    app.text_input(key="q").set_value("dog").run()
    assert address_of(app) == {"q": "dog", "index": "animals"}


def test_whoever_comes_back_to_a_page_finds_it_as_it_was(app: AppTest) -> None:
    app.text_input(key="q").set_value("dog").run()
    go_to(app, "Another")
    go_to(app, "Search")
    assert fields(app) == ("dog", "animals")
    go_to(app, "Another")
    go_to(app, "Search", q="hen", index="farm")
    assert fields(app) == ("hen", "farm")


def test_an_address_that_is_emptied_on_the_page_itself_empties_its_fields_and_holds_up_no_later_ones(
    app: AppTest,
) -> None:
    app.query_params.clear()
    app.run()
    assert fields(app) == ("", "")
    app.text_input(key="q").set_value("dog").run()
    assert fields(app) == ("dog", "")
