"""On Judge: a model grades every hit of a set's pools, as a job; what it says shows only to those who ask for it."""

from __future__ import annotations

import streamlit as st

from prorank_search import jobs
from prorank_search.jobs import Job
from prorank_search.judgments import QuerySet
from prorank_search.judgments.proposals import grades_in_words
from prorank_ui import page_gate, state
from prorank_ui.commands import last_line
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice
from prorank_ui.judge.judging import PROPOSING

_POLL_S = 2.0
_HOW = (
    f"It grades every hit of this set's pools by its probability of relevance: {grades_in_words()}. Its grades never "
    "count as a person's."
)


def offer(query_set: QuerySet, stage: str) -> None:
    """Draw the button, and what became of the last time; nothing where a service has the models.

    Args:
        query_set: The query set.
        stage: Name of the second stage whose model proposes.
    """
    client = state.client()
    if client.service:
        return
    made = next(
        (job for job in jobs.jobs(client.home / "jobs", PROPOSING) if job.about.get("query_set") == query_set.name),
        None,
    )
    running = made is not None and jobs.status(made).state == "running"
    if st.button("Let the model propose grades", key="propose", disabled=running, help=_HOW):
        command = jobs.prorank("judge", "propose", f"--rescorer={stage}", "--", query_set.name)
        title = f"Proposals for {query_set.name}"
        page_gate.installation().start_job(PROPOSING, title, command, {"query_set": query_set.name})
        st.rerun()
    if made is not None:
        st.fragment(_tell, run_every=_POLL_S if running else None)(made, running)


def _tell(made: Job, running: bool) -> None:  # noqa: FBT001 (what the page last saw)
    """Say how far the model is, or how it ended; then draw the page anew, with what it proposes."""
    now = jobs.status(made).state
    if running and now != "running":
        st.rerun()
    said = last_line(jobs.output(made))
    if now == "finished":
        st.caption(unmarked(said))
    elif now == "running":
        wide, narrow = st.columns([3, 1], vertical_alignment="center")
        wide.caption("The model grades …")
        narrow.button("Stop", key="stop proposing", on_click=state.client().stop_job, args=(made,))
    else:
        st.html(notice("warning", f"The model did not grade all hits: {now}", said))
