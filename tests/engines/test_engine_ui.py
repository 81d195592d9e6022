"""The page works against an engine by one setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from prorank_search.backends.engines.analysis import plan
from prorank_search.backends.engines.detection import connect
from prorank_search.settings import Settings
from prorank_search.testing.backends import DOCUMENTS
from prorank_ui import visiting
from prorank_ui.app_pages import compare
from prorank_ui.cli import SCRIPT
from prorank_ui.roles import Visitor
from tests.engines.indexes import our_index
from tests.engines.servers import Server


@pytest.fixture
def app(opensearch: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_URL", opensearch.url)
    monkeypatch.setenv("PRORANK_RESCORER", "overlap")
    here = Visitor("127.0.0.1", {"host": ["localhost"]})
    monkeypatch.setattr(visiting, "visitor", lambda: here)  # AppTest has no browser
    monkeypatch.setattr(compare, "_AT_ONCE_S", 30.0)  # nor does it draw again what came a moment later
    st.cache_resource.clear()
    with our_index(connect(Settings(url=opensearch.url)), "ui-animals", plan("english", smartcn=False), DOCUMENTS):
        yield AppTest.from_file(str(SCRIPT), default_timeout=30)
    st.cache_resource.clear()


def test_both_rankings_of_an_index_on_opensearch_are_shown(app: AppTest) -> None:
    app.query_params.update({"q": "hunting animals at night", "index": "ui-animals"})
    app.run()
    assert not app.exception
    page = "".join(element.proto.body for element in app.main.get("html"))
    assert page.count("Owls") >= 2
    assert "pr-after" in page
