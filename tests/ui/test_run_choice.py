"""Which runs a page shows."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.ui.conftest import PATIENCE_S

PAGE = """
from pathlib import Path
import streamlit as st
from prorank_search.jobs import Job
from prorank_ui import run_choice

names = st.session_state.get("names", ["3", "2", "1"])
runs = {name: Job(name, "bake", "bread", (), "2026-11-24T18:31:05+00:00", {}, Path(name)) for name in names}
st.session_state.chosen = run_choice.choose("bake", runs, "run")
if st.button("Bake"):
    run_choice.show_next("bake", "4", beside=1)
"""


def test_a_run_that_was_started_is_shown_as_soon_as_it_can_be_beside_what_was_shown() -> None:
    app = AppTest.from_string(PAGE, default_timeout=PATIENCE_S)
    app.query_params["run"] = "2,gone,1"
    app.run()
    assert app.session_state["chosen"] == ["2", "1"]
    app.button[0].click().run()
    app.run()
    assert app.session_state["chosen"] == ["2", "1"]  # it has not come to its end
    app.session_state["names"] = ["4", "3", "2", "1"]
    app.run()
    assert app.session_state["chosen"] == ["4", "2"]
    app.multiselect(key="bake runs").set_value([]).run()
    assert app.session_state["chosen"] == []
    assert app.multiselect(key="bake runs").options[0] == "bread · 2026-11-24 18:31 no. 4"


def test_without_a_link_the_newest_run_is_shown() -> None:
    app = AppTest.from_string(PAGE, default_timeout=PATIENCE_S).run()
    assert app.session_state["chosen"] == ["3"]
