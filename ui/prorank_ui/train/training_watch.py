"""Runs as they go: how far, the curves, stop and resume, and what becomes of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import streamlit as st

from prorank_search import jobs
from prorank_search.errors import ProRankError
from prorank_search.jobs import Job
from prorank_ui import address, page_gate, run_choice, state
from prorank_ui.commands import last_line
from prorank_ui.drawing import charts
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.drawing.wording import apart, count
from prorank_ui.train import checkpoint_card, held_back, training_charts, training_plan, training_runs

_POLL_S = 2.0
_LINKED = "runs"
"""What the address calls the choice of runs."""

_WORDS = {
    "running": "running",
    "finished": "finished",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted: its machine or container went away",
}


def draw(home: Path) -> None:
    """Draw the runs that are chosen, and their curves."""
    runs = {job.job_id: job for job in jobs.jobs(home / "jobs", training_runs.KIND)}
    if not runs:
        st.html(notice("info", "No run yet", "Runs appear here and continue when this page is closed."))
        return
    shown = run_choice.choose(training_runs.KIND, runs, _LINKED)
    address.write({_LINKED: ",".join(shown)})
    running = _any_runs([runs[name] for name in shown], home)
    st.fragment(_watch, run_every=_POLL_S if running else None)([runs[name] for name in shown], home, running)


def _watch(runs: Sequence[Job], home: Path, running: bool) -> None:  # noqa: FBT001 (what the page last saw)
    """Draw the runs as they are now; an error is shown here, since a fragment runs without its page."""
    try:
        _draw_runs(runs, home, running=running)
    except ProRankError as error:
        st.html(notice("error", "This cannot be done", str(error)))


def _draw_runs(runs: Sequence[Job], home: Path, *, running: bool) -> None:
    """Draw the runs; once the last of them has ended, or another begins, the page decides whether to look again."""
    rows: list[training_runs.Row] = []
    called = apart({job.job_id: f"{training_runs.short_time(job)} {job.title}" for job in runs})
    for job in runs:
        _card(job, jobs.status(job).state, home)
        rows += training_runs.rows(called[job.job_id], training_runs.measured(job.folder))
    pictures = training_charts.pictures_of(rows)
    for at in range(0, len(pictures), 2):
        for column, (picture, own) in zip(st.columns(2), pictures[at : at + 2], strict=False):
            with column:
                st.markdown(f"**{picture.title}**")
                charts.draw(training_charts.chart(picture, own), key=f"chart {picture.title}")
    if running != _any_runs(runs, home):  # not before the buttons are drawn: a click on one would be lost
        st.rerun()


def _any_runs(runs: Sequence[Job], home: Path) -> bool:
    """Tell whether a run, the making of a checkpoint of one, or a test of that is at work."""
    every = jobs.jobs(home / "jobs")
    shown = {run.job_id for run in runs}
    exports = {job.job_id for job in every if job.kind == training_runs.EXPORT_KIND and job.about.get("run") in shown}
    made = shown | exports
    work = [job for job in every if job.job_id in made or (job.kind == held_back.KIND and job.about.get("run") in made)]
    return any(jobs.status(job).state == "running" for job in work)


def _card(job: Job, now: str, home: Path) -> None:
    with st.container(border=True):
        progress = training_runs.progress(job.folder)
        st.html(summary(job.title, f"{_WORDS[now]} · {_how_far(progress, now)}"))
        if progress.steps and now != "finished":
            st.progress(min(1.0, progress.step / progress.steps))
        if now == "failed":
            st.html(notice("error", "The run failed", last_line(jobs.output(job))))
        if now != "finished":
            _actions(job, now)
        checkpoint = training_runs.checkpoint_of(job.folder)
        if checkpoint is not None and now != "running":
            checkpoint_card.offer(job, checkpoint)
        for made in _exports(job, home):
            _export(made)
        printed = jobs.output(job)
        if printed:
            with st.expander("What it printed"):
                st.code("\n".join(printed.splitlines()[-40:]), language=None)


def _how_far(progress: training_runs.Progress, now: str) -> str:
    if not progress.steps:
        return progress.stage
    if progress.stage == "done":
        return count(progress.steps, "step")
    text = f"{progress.stage}, step {progress.step:,} of {progress.steps:,}"
    if not progress.seconds_left or now != "running":
        return text
    return f"{text} · {timedelta(seconds=round(progress.seconds_left))} left of it"


def _actions(job: Job, now: str) -> None:
    buttons = st.columns([2, 3, 5])
    if now == "running" and buttons[0].button("Stop", key=f"stop {job.job_id}", help="The step is finished and saved."):
        state.client().stop_job(job)
        st.toast("It finishes its step, saves it, and stops.")
    if now in jobs.RESUMABLE and buttons[0].button("Resume", key=f"resume {job.job_id}", type="primary"):
        state.client().resume_job(job)
        st.rerun()
    if training_runs.can_be_exported(job.folder) and buttons[1].button(
        "Export checkpoint", key=f"export {job.job_id}", help="Makes a model from the last saved state."
    ):
        step = training_runs.progress(job.folder).step
        command = training_plan.export_command(job.folder, Path(str(job.about["data"])))
        title = f"{job.title}, step {step}"
        about = {"run": job.job_id, **job.about}
        page_gate.installation().start_job(training_runs.EXPORT_KIND, title, jobs.prorank(*command), about)
        st.rerun()


def _export(made: Job) -> None:
    """Draw what became of a checkpoint that was asked for on the way."""
    now = jobs.status(made).state
    if now == "failed":
        wide, narrow = st.columns([7, 1], vertical_alignment="bottom")
        wide.html(notice("error", f"No checkpoint: {made.title}", last_line(jobs.output(made))))
        if narrow.button("Dismiss", key=f"dismiss {made.job_id}", width="stretch"):
            state.client().put_job_away(made)
            st.rerun()
    else:
        st.caption(f"Checkpoint: {unmarked(made.title)}, {_WORDS[now]}")
    checkpoint = training_runs.checkpoint_of(made.folder)
    if checkpoint is not None and now != "running":
        checkpoint_card.offer(made, checkpoint)


def _exports(job: Job, home: Path) -> list[Job]:
    made = jobs.jobs(home / "jobs", training_runs.EXPORT_KIND)
    return [other for other in made if other.about.get("run") == job.job_id and not jobs.is_put_away(other)]
