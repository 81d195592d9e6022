"""What to train, on what, and the groups that come of it: the form of Train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from prorank_search import jobs
from prorank_search.errors import ProRankError
from prorank_search.jobs import Job
from prorank_search.settings import load_settings
from prorank_ui import commands, page_gate, run_choice, state
from prorank_ui.commands import last_line
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice
from prorank_ui.drawing.wording import count
from prorank_ui.evaluate.evaluating import COLLECTIONS
from prorank_ui.train import training_groups, training_plan, training_runs
from prorank_ui.train.training_plan import RecipeInfo, TrainingPlan

_POLL_S = 1.5
_LISTING_TAKES_AT_MOST_S = 60
_OWN_RECIPE = "judgments"
_CORPUS_FILE = "corpus.jsonl"


def draw(home: Path) -> None:
    """Draw the form, and below it the newest groups with the button that starts a run on them.

    Where `prorank train` does not work, that is said here: the runs that are there still have their buttons.
    """
    own = {path.name: path.stat().st_mtime_ns for path in (home / "recipes").glob("*.toml")}
    try:
        known = {recipe.name: recipe for recipe in _recipes(home, own)}
    except ProRankError as error:
        st.html(notice("error", "No run can be started", str(error)))
        return
    plan = _ask(home, known)
    if plan is not None and st.button("Make the groups", type="primary", key="make groups"):
        _start_groups(plan, known[plan.recipe], home)
    made = next(iter(jobs.jobs(home / "jobs", training_runs.GROUPS_KIND)), None)
    if made is not None:
        every = _POLL_S if jobs.status(made).state == "running" else None
        st.fragment(_groups, run_every=every)(made, known, home)


@st.cache_data(max_entries=1, show_spinner="Looking for recipes …")
def _recipes(home: Path, own: Mapping[str, int]) -> list[RecipeInfo]:
    """Ask `prorank train` for its recipes, anew when those of the home change: the apps do not know each other."""
    del home, own  # tell one answer from another
    answer = commands.answer_of("train", "recipes", "--json", timeout_s=_LISTING_TAKES_AT_MOST_S)
    return [RecipeInfo(**row) for row in answer]


def _ask(home: Path, known: Mapping[str, RecipeInfo]) -> TrainingPlan | None:
    """Draw the fields; return what they hold, or None where there is nothing to train on."""
    store = state.client().store
    judged = {found.name: len(store.qrels(found.name)) for found in store.query_sets()}
    folders = sorted(path.parent.name for path in (home / COLLECTIONS).glob(f"*/{_CORPUS_FILE}"))
    if not any(judged.values()) and not folders:
        advice = (
            f"A model learns from judged hits: judge some on “Judge”, or put BEIR folders into {home / COLLECTIONS}."
        )
        st.html(notice("info", "There is nothing to train on yet", advice))
        return None
    left, right = st.columns(2)
    with left:
        names = sorted(known, key=lambda name: (name != _OWN_RECIPE, name))
        recipe = known[state.select("Recipe", "train_recipe", names)]
        st.caption(unmarked(recipe.about or recipe.path))
        models = state.client().models("prorank")
        first = [name for name in (recipe.base, load_settings().model) if name in models]
        names = list(dict.fromkeys([*first, *models]))
        if not names:
            st.html(notice("warning", "No model to begin with is on this machine", "Fetch one: prorank models pull"))
            return None
        base = state.select("Begin with", "train_base", names, lambda name: models[name])
    with right:
        sets = st.multiselect(
            "Judgments of this installation",
            [name for name, judgments in judged.items() if judgments],
            default=[name for name, judgments in judged.items() if judgments],
            key="train_sets",
        )
        st.caption(", ".join(f"{unmarked(name)}: {count(judged[name], 'judgment')}" for name in sets))
        chosen = _ask_collections(recipe, folders, home)
        mistakes = st.checkbox(
            "Its own mistakes first",
            key="train_mistakes",
            help="Documents judged irrelevant come by the scores of the model to begin with, the highest first; "
            "else by BM25's ranks. It has to score every judged document.",
        )
    if not sets and not chosen:
        st.caption("Choose judgments or collections to train on.")
        return None
    return TrainingPlan(
        recipe.name, base, {name: judged[name] for name in sets}, chosen, f"prorank:{base}" if mistakes else ""
    )


def _ask_collections(recipe: RecipeInfo, folders: list[str], home: Path) -> list[str]:
    """Draw the choice of BEIR folders, where there are any; return what is chosen."""
    if not folders:
        st.caption(f"BEIR folders in {unmarked(str(home / COLLECTIONS))} can be trained on too.")
        return []
    wanted = [str(row["folder"]) for row in recipe.collections if row["folder"] in folders]
    return st.multiselect("Collections", folders, default=wanted, key=f"train_collections {recipe.name}")


def _start_groups(plan: TrainingPlan, recipe: RecipeInfo, home: Path) -> None:
    command = jobs.prorank(*training_plan.data_command(plan, recipe, home))
    client = page_gate.installation()
    client.start_job(training_runs.GROUPS_KIND, plan.title, command, training_plan.about(plan))
    st.rerun()


def _groups(made: Job, known: Mapping[str, RecipeInfo], home: Path) -> None:
    """Show what became of the groups; an error is shown here, since a fragment runs without its page."""
    try:
        _show_groups(made, known, home)
    except ProRankError as error:
        st.html(notice("error", "This cannot be done", str(error)))


def _show_groups(made: Job, known: Mapping[str, RecipeInfo], home: Path) -> None:
    """Show how far the groups are; once they are there, a run can start."""
    state_now = jobs.status(made).state
    st.html(training_groups.heading_html(made.title))
    if state_now == "running":
        st.html(notice("info", "Making the groups …", last_line(jobs.output(made))))
        if st.button("Stop", key="stop groups"):
            state.client().stop_job(made)
        st.session_state["groups under way"] = made.job_id
        return
    if st.session_state.pop("groups under way", None):
        st.rerun()
    rows = training_groups.counts(made.folder)
    if state_now != "finished" or not rows:
        st.html(notice("error", f"The groups were not made: {state_now}", last_line(jobs.output(made))))
        if st.button("Try again", key="groups again"):
            state.client().resume_job(made)
            st.rerun()
        return
    st.html(training_groups.counts_html(rows))
    scarce = training_groups.scarce(rows)
    if scarce:
        st.html(notice("warning", *scarce))
    with st.expander("Look at a few"):
        st.html("".join(map(training_groups.group_html, training_groups.few(made.folder))))
    plan = TrainingPlan(**made.about)  # type: ignore[arg-type]  # it was written by `training_plan.about`
    if plan.recipe in known:
        _offer_start(made, plan, known[plan.recipe], sum(row["groups"] for row in rows), home)


def _offer_start(made: Job, plan: TrainingPlan, recipe: RecipeInfo, groups: int, home: Path) -> None:
    columns = st.columns([2, 3, 5] if recipe.warmup_steps else [2, 8], vertical_alignment="bottom")
    with columns[0]:
        steps = st.number_input(
            "Steps",
            min_value=1,
            max_value=10 * recipe.steps,
            value=training_plan.sensible_steps(recipe, groups),
            key=f"train_steps {made.job_id}",
            help=f"Each takes {recipe.groups_a_step} groups",
        )
    warmup = recipe.warmup_steps > 0 and columns[1].checkbox(
        f"Stage 1 first ({recipe.warmup_steps} steps)",
        value=plan.base == recipe.base,
        key=f"train_warmup {made.job_id}",
    )
    with columns[-1]:
        if not st.button("Start training", type="primary", key="start training"):
            return
    command = training_plan.train_command(plan, recipe, home, data=made.folder, steps=int(steps), warmup=warmup)
    about = training_plan.about(plan) | {"data": str(made.folder)}
    job = page_gate.installation().start_job(training_runs.KIND, plan.title, jobs.prorank(*command), about)
    run_choice.show_next(training_runs.KIND, job.job_id, beside=2)
    st.rerun()
