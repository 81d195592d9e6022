"""Which runs a page shows: the choice among them, which the address keeps, and a run that is to be shown next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from prorank_search.jobs import Job
from prorank_ui import address
from prorank_ui.drawing.wording import apart, minute


def choose(kind: str, runs: Mapping[str, Job], linked: str) -> list[str]:
    """Draw the choice of runs; return the ids of those that are chosen, in the order in which they were.

    At first these are the ones that the address names, else the newest.

    Args:
        kind: Of the jobs: each kind has a choice of its own.
        runs: What can be chosen by id, the newest first; at least one.
        linked: What the address calls the choice.
    """
    key, named = _key(kind), address.taken_over(linked)
    if named is not None or key not in st.session_state:
        there = [name for name in (named or "").split(",") if name in runs]
        st.session_state[key] = there or [next(iter(runs))]
    upcoming: Sequence[str] = st.session_state.get(_next_key(kind), [])
    if upcoming and upcoming[0] in runs:
        st.session_state[key] = st.session_state.pop(_next_key(kind))
    st.session_state[key] = [name for name in st.session_state[key] if name in runs]
    called = apart({name: f"{job.title} · {minute(job.created)}" for name, job in runs.items()})
    chosen: list[str] = st.multiselect(
        "Runs", list(runs), key=key, format_func=called.__getitem__, placeholder="Choose what to look at"
    )
    return chosen


def show_next(kind: str, job_id: str, beside: int = 0) -> None:
    """Have a run shown as soon as it can be chosen.

    Args:
        kind: Of its job.
        job_id: The run.
        beside: How many of those that are shown now stay, behind it.
    """
    shown: Sequence[str] = st.session_state.get(_key(kind), [])
    st.session_state[_next_key(kind)] = [job_id, *shown[:beside]]


def _key(kind: str) -> str:
    return f"{kind} runs"


def _next_key(kind: str) -> str:
    return f"{kind} runs to show next"
