"""Evaluations under way, and those that did not come to their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from prorank_search import jobs
from prorank_search.errors import ProRankError
from prorank_search.jobs import Job
from prorank_ui import state
from prorank_ui.clients.home_client import role_for
from prorank_ui.commands import complaint
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice
from prorank_ui.evaluate import evaluating

_POLL_S = 1.0
_SHOWN = 3
_HEADLINES = {
    "failed": "This evaluation failed",
    "stopped": "This evaluation was stopped",
    "interrupted": "This evaluation was interrupted",
}
_FAILED = "why an evaluation was neither stopped nor resumed"
_KEPT = "What was scored is kept: resumed, it goes on where it stopped."


def show(found: Sequence[Job]) -> None:
    """Draw what is under way, and the last ones that did not end well.

    Args:
        found: The evaluations, the newest first.
    """
    failed = st.session_state.pop(_FAILED, None)
    if failed:
        st.html(notice("error", "That did not work", failed))
    states = {job.job_id: jobs.status(job).state for job in found}
    running = [job for job in found if states[job.job_id] == "running"]
    if running:
        st.fragment(_poll, run_every=_POLL_S)(running)
    for job in [job for job in found if states[job.job_id] in jobs.RESUMABLE and not jobs.is_put_away(job)][:_SHOWN]:
        _show_ended(job, states[job.job_id])


def _poll(running: Sequence[Job]) -> None:
    if any(jobs.status(job).state != "running" for job in running):
        st.rerun()
    for job in running:
        wide, narrow = st.columns([5, 1], vertical_alignment="bottom")
        done, text = evaluating.progress(job)
        wide.progress(done, unmarked(f"{job.title} · {text}"))
        narrow.button(
            "Stop",
            key=f"stop {job.job_id}",
            on_click=_do,
            args=(state.client().stop_job, job),
            disabled=not _may(),
            width="stretch",
        )


def _show_ended(job: Job, now: jobs.JobState) -> None:
    reason = complaint(jobs.output(job)) if now == "failed" else _KEPT
    wide, *narrow = st.columns([6, 1, 1], vertical_alignment="bottom")
    wide.html(notice("error" if now == "failed" else "warning", f"{_HEADLINES[now]}: {job.title}", reason))
    may = _may()
    deeds = {"Resume": state.client().resume_job, "Dismiss": state.client().put_job_away}
    for place, (label, deed) in zip(narrow, deeds.items(), strict=True):
        key = f"{label.lower()} {job.job_id}"
        place.button(label, key=key, on_click=_do, args=(deed, job), disabled=not may, width="stretch")


def _may() -> bool:
    return state.client().person().may(role_for(evaluating.KIND))


def _do(deed: Callable[[Job], None], job: Job) -> None:
    try:
        deed(job)
    except ProRankError as error:
        st.session_state[_FAILED] = str(error)
