"""On Train: a new model tested beside another on held-back judgments, before anybody makes it the default."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from prorank_search import jobs
from prorank_search.jobs import Job
from prorank_ui import page_gate, state
from prorank_ui.commands import complaint
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.evaluate import evaluating
from prorank_ui.train import held_back
from prorank_ui.train.held_back import HeldBack, HeldBackOutcome, Pair

_KEPT = 20
_UNDONE = {"stopped": "The test was stopped", "interrupted": "The test was interrupted"}
_HOW = (
    "Paired permutation test over the queries, 95 % bootstrap interval of the difference. The new model never saw "
    "these judgments, but some of them chose its blend: judgments that came later say more."
)


def offer(job: Job, checkpoint: Path, other: str, called: str) -> None:
    """Draw the test of a checkpoint against another model, and what it found; nothing where nothing is held back.

    Args:
        job: The run that the checkpoint comes from.
        checkpoint: Its folder.
        other: The model that it is compared with.
        called: What that is called.
    """
    sets = {one.query_set: one for one in held_back.held_back(Path(str(job.about.get("data", job.folder))))}
    if not sets:
        return
    left, middle, right = st.columns([4, 3, 3], vertical_alignment="bottom")
    with left:
        of = sets[state.select("On the held-back judgments of", f"held back of {job.job_id}", list(sets))]
    with middle:
        limit = _ask_limit(job, of)
    pair = Pair(job.job_id, checkpoint, other)
    found = held_back.of_pair(state.client().home, pair, of.query_set)
    running = bool(found) and jobs.status(found[0]).state == "running"
    with right:
        if st.button("Test both", key=f"test {job.job_id}", disabled=running, width="stretch"):
            page_gate.installation().start_held_back_test(of, pair, limit)
            st.rerun()
    if found:
        _show(found[0], called)
    else:
        st.caption(f"Not tested against {unmarked(called)} yet: do so before it becomes the default.")


def _ask_limit(job: Job, of: HeldBack) -> int:
    """Draw the number of queries; return it."""
    size = of.size
    return int(
        st.number_input(
            "Queries",
            min_value=1,
            max_value=size,
            value=min(size, held_back.MOST_QUERIES),
            key=f"held-back queries {job.job_id} {of.query_set}",
            help=f"Of {size:,}. Both models score the first hits of each: seconds a query on a CPU.",
        )
    )


def _show(test: Job, called: str) -> None:
    """Show how a test is, or what it found."""
    now = jobs.status(test)
    if now.state == "finished":
        found = _outcome(test.job_id, now.ended, test.folder)
        st.html(summary(held_back.headline(found), f"BM25 {found.first_stage:.3f}"))
        st.html(held_back.outcome_table(found, called))
        st.caption(_HOW)
        return
    wide, narrow = st.columns([8, 2], vertical_alignment="bottom")
    if now.state == "running":
        done, text = evaluating.progress(test)
        wide.progress(done, unmarked(f"Testing · {text}"))
        if narrow.button("Stop the test", key=f"stop {test.job_id}", width="stretch"):
            state.client().stop_job(test)
        return
    if now.state == "failed":
        wide.html(notice("error", "The test failed", complaint(jobs.output(test))))
    else:
        wide.html(notice("warning", _UNDONE[now.state], "Resumed, it goes on: what was scored is kept."))
    if narrow.button("Resume the test", key=f"resume {test.job_id}", width="stretch"):
        state.client().resume_job(test)
        st.rerun()


@st.cache_data(show_spinner=False, max_entries=_KEPT)
def _outcome(job_id: str, ended: str, _folder: Path) -> HeldBackOutcome:
    """Read what a test found, once until it is run anew."""
    del job_id, ended
    return held_back.outcome(_folder)
