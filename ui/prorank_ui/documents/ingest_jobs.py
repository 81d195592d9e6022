"""The ingests of this installation as a list that follows them: progress, stop, resume, dead letters."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from prorank_search import jobs
from prorank_search.errors import InputError, ProRankError
from prorank_search.jobs import Job, JobStatus
from prorank_ui import page_gate, state
from prorank_ui.commands import complaint
from prorank_ui.documents import ingest_output, ingest_preview, ingesting, uploads
from prorank_ui.documents.uploads import Upload
from prorank_ui.drawing.markup import escape
from prorank_ui.drawing.notices import notice
from prorank_ui.drawing.wording import count, minute, size

FAILED = "what failed"
"""Key of what an action of this page could not do, until it is shown."""

UPLOAD = "upload"
"""Name of the upload that is in hand, in the address."""

_SHOWN = 5
_LOOK_EVERY_S = 1.0


def show() -> None:
    """Draw the latest ingests; while one runs, look again every second."""
    found = jobs.jobs(state.client().home / "jobs", ingesting.KIND)[:_SHOWN]
    if not found:
        return
    st.header("Latest ingests", anchor=False)
    running = _running(found)
    st.fragment(_follow, run_every=_LOOK_EVERY_S if running else None)(found, running)
    done = spent_uploads(state.client().home)
    if done:
        size_told = size(sum(upload.size_bytes for upload in done))
        st.button(
            f"Delete {count(len(done), 'upload')} that went into an index ({size_told})",
            on_click=page_gate.installation().delete_uploads,
            args=([upload.upload_id for upload in done],),
        )


def spent_uploads(home: Path) -> list[Upload]:
    """Return the uploads whose every ingest has ended well: nothing needs them any longer."""
    needed: dict[object, bool] = {}
    for job in jobs.jobs(home / "jobs", ingesting.KIND):
        upload_id = job.about.get("upload")
        needed[upload_id] = needed.get(upload_id, False) or not ingest_output.ended_well(jobs.status(job))
    return [upload for upload in uploads.kept(home) if needed.get(upload.upload_id) is False]


def _follow(found: Sequence[Job], before: Sequence[str]) -> None:
    if _running(found) != before:
        st.rerun()  # the whole page: an index has changed, or a job goes on
    settled: set[object] = set()
    for job in found:
        status = jobs.status(job)
        _draw(job, status, mended=job.about.get("upload") in settled)
        if ingest_output.ended_well(status):
            settled.add(job.about.get("upload"))


def _running(found: Sequence[Job]) -> list[str]:
    return [job.job_id for job in found if jobs.status(job).state == "running"]


def _draw(job: Job, status: JobStatus, *, mended: bool) -> None:
    """Draw an ingest; `mended`: a later one of the same upload did its work."""
    output = jobs.output(job)
    report, progress = ingest_output.report(output), ingest_output.progress(output)
    ended_well = ingest_output.ended_well(status)
    told = report or progress
    words = told.in_words() if told else "reading the first records" if status.state == "running" else ""
    share = progress.share_read if progress and status.state == "running" else None
    facts, act = st.columns([5, 1], vertical_alignment="center")
    facts.html(card(job, status, words, share))
    if status.state == "running":
        act.button("Stop", key=f"stop {job.job_id}", on_click=state.client().stop_job, args=(job,), width="stretch")
    elif ended_well:
        if act.button("Search it", key=f"search {job.job_id}", width="stretch"):
            _search(str(job.about.get("index", "")))
    elif status.state in jobs.RESUMABLE and not mended:
        act.button("Resume", key=f"resume {job.job_id}", on_click=_resume, args=(job,), width="stretch")
    if status.state == "failed" and not ended_well and not mended:
        st.html(notice("error", "The ingest failed", ingest_output.in_words_of_the_page(complaint(output))))
        _offer_change(job)
    if report is not None and report.dead_letters is not None:
        _dead_letters(job, report, report.dead_letters)


def card(job: Job, status: JobStatus, words: str, share: float | None) -> str:
    """Return a job as HTML: title, state, how far it is.

    Args:
        job: The job.
        status: How it is.
        words: How far, in words.
        share: How far, from 0 to 1; None where that is not known.
    """
    bar = f'<progress aria-label="{escape(job.title)}" max="1" value="{share:.3f}"></progress>' if share else ""
    started = f"{minute(job.created)} UTC"
    state_told = escape(ingest_output.state_in_words(job, status))
    return (
        f'<div class="pr-board pt-job"><b dir="auto">{escape(job.title)}</b> <span class="pr-tag">{state_told}</span> '
        f'<span class="pr-note">{escape(words)}</span>{bar}<span class="pr-note">{escape(started)}</span></div>'
    )


def _resume(job: Job) -> None:
    try:
        state.client().resume_job(job)
    except ProRankError as error:
        state.choose(FAILED, str(error))


def _search(index: str) -> None:
    from prorank_ui.app_pages import compare  # which itself leads to this page

    st.switch_page(st.Page(compare.page, default=True), query_params={"index": index})


def _offer_change(job: Job) -> None:
    """Draw the way back to the form, where the upload of a failed ingest is still there."""
    upload_id = job.about.get("upload")
    there = any(upload.upload_id == upload_id for upload in uploads.kept(state.client().home))
    if there and st.button("Change and start anew", key=f"change {job.job_id}"):
        st.query_params[UPLOAD] = str(upload_id)
        st.rerun()


def _dead_letters(job: Job, report: ingest_output.Report, file: Path) -> None:
    with st.expander(count(report.bad_records, "bad record")):
        try:
            letters = ingest_output.dead_letters(file, state.client().home)
        except InputError as error:
            st.html(notice("error", "No dead letters to show", str(error)))
            return
        st.html(ingest_preview.bad_records(letters))
        if len(letters) < report.bad_records:
            st.caption(f"The first {len(letters):,} of them.")
        st.caption("Mend them in this file, then read them once more:")
        replay = ["prorank", "ingest", "replay", str(file), "--index", str(job.about.get("index", "NAME"))]
        st.code(shlex.join(replay), language=None, wrap_lines=True)
