"""Evaluate: systems side by side on queries with judgments."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import streamlit as st

from prorank_search import jobs
from prorank_search.errors import ProRankError
from prorank_search.evaluation.measures import EVERY, NDCG
from prorank_search.jobs import Job
from prorank_ui import address, first_steps, run_choice, state
from prorank_ui.app_pages import judge
from prorank_ui.clients.service_client import STAGE
from prorank_ui.drawing import charts, notices, plain_table
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.drawing.wording import count
from prorank_ui.evaluate import (
    change_list,
    evaluating,
    evaluation_form,
    evaluation_jobs,
    quality_cost,
    standings,
    unjudged,
)
from prorank_ui.evaluate import evaluation_tables as tables
from prorank_ui.evaluate.slices import SLICES
from prorank_ui.evaluate.standings import Change, EvaluationRun, Measured, Standing

KINDS = {"all": "All", "better": "Better", "worse": "Worse", "equal": "Equal"}
ROWS_A_PAGE = 50
_LINKED = "run"
"""What the address calls the choice of runs."""

_KEPT_RUNS = 20


def page() -> None:
    """Draw the page."""
    for styles in (notices.STYLES, plain_table.STYLES, change_list.STYLES):
        st.html(styles)
    st.title("Evaluate", anchor=False)
    try:
        client = state.client()
        found = jobs.jobs(client.home / "jobs", evaluating.KIND)
        client.person()
        try:
            _offer_new_run(begin=not found)
        except ProRankError as error:  # what was measured is there without engine and service
            st.html(notice("error", "No evaluation can be started", str(error)))
        evaluation_jobs.show(found)
        finished = {job.job_id: job for job in found if jobs.status(job).state == "finished"}
        chosen = run_choice.choose(evaluating.KIND, finished, _LINKED) if finished else []
        if chosen:
            _show([_read(finished[job_id]) for job_id in chosen])
    except ProRankError as error:
        st.html(notice("error", "This cannot be shown", str(error)))


def _offer_new_run(*, begin: bool) -> None:
    client = state.client()
    if not client.person().may("judge"):
        st.caption("Judges and operators start evaluations; those that were done stand below.")
        return
    sources = evaluating.sources(client.store.query_sets(), client.home)
    indexes = client.indexes()
    if not indexes:
        first_steps.no_index()
        return
    if not sources:
        advice = (
            "Judge hits of your own queries on “Judge”, import judgments there, or put a BEIR folder (queries.jsonl, "
            f"qrels/) into {client.home / evaluating.COLLECTIONS}."
        )
        st.html(notice("info", "There are no queries with judgments yet", advice))
        return
    with st.expander("New evaluation", expanded=begin):
        evaluation_form.show(sources, indexes)


def _read(job: Job) -> EvaluationRun:
    """Read a run, once until it is run anew."""
    return _kept_run(job.job_id, jobs.status(job).ended, job)


@st.cache_data(show_spinner=False, max_entries=_KEPT_RUNS)
def _kept_run(job_id: str, ended: str, _job: Job) -> EvaluationRun:
    del job_id, ended
    return standings.read_run(_job)


@st.cache_data(show_spinner="Testing the differences …", max_entries=_KEPT_RUNS * len(EVERY))
def _standings(
    run_ids: tuple[str, ...], queries: int, measure: str, baseline: str, _systems: Sequence[Measured]
) -> list[Standing]:
    del run_ids, queries
    return standings.standings(_systems, measure, baseline)


def _show(runs: Sequence[EvaluationRun]) -> None:
    """Show what the runs say together."""
    for warning in dict.fromkeys(warning for run in runs for warning in run.warnings):
        st.html(notice("warning", "These scores may be unreliable", warning))
    queries, systems = standings.together(runs)
    by_name = {system.name: system for system in systems}
    address.follow("measure", "baseline", "against", "changed", "slices")
    left, right = st.columns(2)
    with left:
        measure = state.select("Measure", "measure", [NDCG, *(name for name in EVERY if name != NDCG)])
    with right:
        baseline = by_name[state.select("Compared with", "baseline", list(by_name))]
    ids = tuple(run.job_id for run in runs)
    rows = _standings(ids, len(queries), measure, baseline.name, systems)
    st.html(summary(tables.verdict(rows, measure, baseline.name), ""))
    st.html(tables.standings_table(rows, systems, measure))
    st.caption(f"{count(len(queries), 'query')} with a relevant document. {tables.LEGEND}.")
    if any(system.side.rescorer == STAGE for system in systems):
        st.caption("A service searched: it remembers scores, so what rescoring takes is not measured.")
    _offer_unjudged(runs)
    with st.expander("Every measure"):
        st.html(tables.every_measure(systems))
    _show_cost(systems)
    others = [name for name in by_name if name != baseline.name]
    if others:
        after = by_name[
            state.select("Query by query", "against", others, lambda name: f"{name} against {baseline.name}")
        ]
        changed = standings.changes(queries, measure, baseline, after)
        with st.expander("Slices"):
            by = state.select("By", "slices", list(SLICES))
            st.html(tables.slices_table(queries, changed, by))
        _show_changes(changed, runs[0].index, baseline, after)
    _write_address(ids)


def _offer_unjudged(runs: Sequence[EvaluationRun]) -> None:
    """Say how many shown hits nobody judged, which count as not relevant, and offer to judge them."""
    for run in runs:
        number = sum(map(len, run.unjudged.values()))
        if not number:
            continue
        verb = "has" if number == 1 else "have"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"{count(number, 'hit')} among the first ten of some system of “{unmarked(run.title)}” {verb} no "
                "judgment: what nobody judged counts as not relevant."
            )
            if (
                run.query_set
                and state.client().person().may("judge")
                and st.button("Judge them", key=f"judge {run.job_id}")
            ):
                _go_to_judge(run)


def _go_to_judge(run: EvaluationRun) -> None:
    client = state.client()
    with st.spinner("Collecting the hits …"):
        query_id = unjudged.put_into_pools(run, client.first_stage(run.index), client.pool)
    judge.go_to(run.query_set, query_id)


def _show_cost(systems: Sequence[Measured]) -> None:
    if not any(len(system.sweep) > 1 for system in systems):
        return
    alone = next((system for system in systems if not system.side.rescorer), None)
    first_stage = None if alone is None else fmean(row[NDCG] for row in alone.values.values())
    axis, points = quality_cost.points(systems, first_stage)
    with st.expander("Quality against cost"):
        charts.draw(quality_cost.chart(axis, points))
        if axis == quality_cost.TIME:
            st.caption(quality_cost.ESTIMATED)


def _show_changes(changed: Sequence[Change], index: str, before: Measured, after: Measured) -> None:
    """Show the queries, the largest change first; each opens in Compare."""
    number = {kind: sum(kind in {"all", one.kind} for one in changed) for kind in KINDS}
    if st.session_state.get("changed") not in KINDS:  # the address says something else, or nothing
        state.choose("changed", "all")
    wide, narrow = st.columns([7, 3])
    with wide:
        told = {kind: f"{name} {number[kind]:,}" for kind, name in KINDS.items()}
        kind = (
            st.segmented_control("Queries", list(KINDS), key="changed", format_func=told.__getitem__, wrap=True)
            or "all"
        )
    shown = [one for one in changed if kind in {"all", one.kind}]
    pages = max(1, -(-len(shown) // ROWS_A_PAGE))
    with narrow:
        at = st.number_input(f"Page of {pages}", 1, pages, key=f"page of {pages}") if pages > 1 else 1
    part = shown[(at - 1) * ROWS_A_PAGE : at * ROWS_A_PAGE]
    if part:
        st.html(change_list.drawn(part, index, before.side, after.side))
    else:
        st.html(notice("info", "No query of this kind"))


def _write_address(run_ids: Sequence[str]) -> None:
    keys = ("measure", "baseline", "against", "changed", "slices")
    chosen = {key: str(st.session_state[key]) for key in keys if st.session_state.get(key)}
    address.write({_LINKED: ",".join(run_ids)} | chosen)
