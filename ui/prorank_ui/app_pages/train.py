"""The page Train: groups of this installation's judgments, runs and their curves, a new default model."""

from __future__ import annotations

import streamlit as st

from prorank_search.errors import ProRankError
from prorank_ui import plain_tables, state, training_controls, training_watch
from prorank_ui import ranking_table as table


def page() -> None:
    """Draw the page."""
    st.html(table.STYLES)
    st.title("Train", anchor=False)
    home = state.client().home
    try:
        training_watch.draw(home)
        st.html(plain_tables.heading("New run"))
        training_controls.draw(home)
    except ProRankError as error:
        st.html(table.notice("error", "This cannot be done", str(error)))
