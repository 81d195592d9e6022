"""Status: what of this installation works, what is at work, and what is installed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from prorank_search import jobs, models
from prorank_search.errors import AuthError, ProRankError
from prorank_search.jobs import Job
from prorank_search.settings import load_settings
from prorank_ui import state
from prorank_ui.drawing import notices, plain_table
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.drawing.wording import apart, minute
from prorank_ui.page_gate import who
from prorank_ui.status import status_words
from prorank_ui.status.checkup import Checkup

_LOOK_EVERY_S = 1.0
_SHOWN_JOBS = 20


@st.cache_resource(show_spinner=False)
def _checkup() -> Checkup:
    """Return the one checkup of this process: of the service that it asks, else of this installation."""
    return Checkup(state.client().examine)


def page() -> None:
    """Draw the page; nothing of it waits for a check."""
    for styles in (notices.STYLES, plain_table.STYLES, status_words.STYLES):
        st.html(styles)
    title, refresh = st.columns([5, 1], vertical_alignment="center")
    title.title("Status", anchor=False)
    try:
        st.caption(unmarked(who(state.client().person())))
        _show_checks(refresh)
        _jobs()
        if not state.client().service:
            _models()
    except AuthError as error:
        st.html(notice("error", "This page cannot be drawn", str(error)))
        return
    except ProRankError as error:
        st.html(notice("error", "Not everything can be shown", str(error)))
    st.header("Versions on this machine", anchor=False)
    st.html(plain_table.drawn("Versions", ["package", "version"], status_words.installed()))


def _show_checks(refresh: DeltaGenerator) -> None:
    checkup = _checkup()
    checkup.begin()
    refresh.button("Refresh", width="stretch", on_click=checkup.begin, args=(0.0,), disabled=checkup.under_way())
    under_way = checkup.under_way()
    st.fragment(_examined, run_every=_LOOK_EVERY_S if under_way else None)(checkup, under_way)


def _examined(checkup: Checkup, before: bool) -> None:  # noqa: FBT001 (what was drawn, to tell that it has changed)
    under_way, last = checkup.under_way(), checkup.last()
    if under_way != before:
        st.rerun()
    if last is None:
        st.html(notice("info", "Looking at model, engine, indexes and service …", "This takes some seconds."))
    elif isinstance(last, Exception):
        st.html(notice("error", "The checks cannot be done", str(last)))
    else:
        when = f"seen at {last.at[11:19]} UTC, in {last.seconds:.1f} s{' · looking again …' if under_way else ''}"
        st.html(summary(status_words.headline(last.checks), when))
        st.html(status_words.checklist(last.checks))
        facts = status_words.service_facts(last.service)
        if facts:
            st.html(notice("info", "prorank serve is running", facts))


def _jobs() -> None:
    st.header("Jobs", anchor=False)
    found = jobs.jobs(state.client().home / "jobs")
    if not found:
        st.caption("None yet: ingests, evaluations and training runs that are started here stand in this list.")
        return
    running = _running(found)
    st.fragment(_follow_jobs, run_every=_LOOK_EVERY_S if running else None)(found[:_SHOWN_JOBS], running)
    with st.expander("What a job printed"):
        titles = apart({job.job_id: f"{job.title} ({minute(job.created)})" for job in found})
        job_id = state.select("Job", "output of", list(titles), titles.__getitem__)
        printed = jobs.output(jobs.job(state.client().home / "jobs", job_id))
        st.html(status_words.printed(printed or "nothing yet"))


def _follow_jobs(found: Sequence[Job], before: Sequence[str]) -> None:
    if _running(found) != before:
        st.rerun()
    rows = [status_words.job_row(job, jobs.status(job)) for job in found]
    st.html(plain_table.drawn("Jobs", ["job", "kind", "state", "started (UTC)", "ended (UTC)"], rows))


def _running(found: Sequence[Job]) -> list[str]:
    return [job.job_id for job in found[:_SHOWN_JOBS] if jobs.status(job).state == "running"]


def _models() -> None:
    st.header("Models", anchor=False)
    settings = load_settings()
    rows = [status_words.model_row(model, settings.model) for model in models.list_models(settings)]
    st.html(plain_table.drawn("Models", ["model", "state", "rescorer", "size", "licence"], rows, ["size"]))
