"""The page Train: groups of this installation's judgments, runs and their curves, a new default model."""

from __future__ import annotations

import streamlit as st

from prorank_search import jobs
from prorank_search.errors import ProRankError
from prorank_ui import page_gate
from prorank_ui.compare import ranking_table
from prorank_ui.drawing import notices, plain_table
from prorank_ui.drawing.notices import notice
from prorank_ui.train import checkpoint_card, training_controls, training_runs, training_watch


def page() -> None:
    """Draw the page."""
    for styles in (notices.STYLES, ranking_table.STYLES, plain_table.STYLES):
        st.html(styles)
    st.title("Train", anchor=False)
    try:
        if not (page_gate.admits("operator") and page_gate.is_local()):
            return
        home = page_gate.installation().home
        checkpoint_card.show_default()
        with st.expander("New run", expanded=not jobs.jobs(home / "jobs", training_runs.KIND)):
            training_controls.draw(home)
        training_watch.draw(home)
    except ProRankError as error:
        st.html(notice("error", "This cannot be done", str(error)))
