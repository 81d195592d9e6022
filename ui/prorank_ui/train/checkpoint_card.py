"""A checkpoint on Train: its results, beside another model on a query, made the default, taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from prorank_search import promotions
from prorank_search.jobs import Job
from prorank_search.settings import load_settings
from prorank_ui import page_gate, state
from prorank_ui.drawing import plain_table
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import summary
from prorank_ui.drawing.wording import minute
from prorank_ui.train import held_back_card, training_runs


def show_default() -> None:
    """Draw which model is the default, and the undo."""
    settings = load_settings()
    known = promotions.promotions(settings.home)
    left, right = st.columns([7, 3], vertical_alignment="center")
    left.html(summary(f"Default model: {settings.model}", _origin(settings.origin("model"), known)))
    if known and right.button(f"Undo: take back {unmarked(known[-1].model)}", key="demote"):
        page_gate.installation().demote()
        st.rerun()


def _origin(origin: str, known: Sequence[promotions.Promotion]) -> str:
    if known and origin.endswith(promotions.FILE_NAME):
        return f"promoted {minute(known[-1].at)}"
    return "the shipped one" if origin == "default" else f"set by {origin}, which goes before a promotion"


def offer(job: Job, checkpoint: Path) -> None:
    """Show a checkpoint's results, and what can be done with it."""
    st.html(_results_html(training_runs.results(checkpoint)))
    models = _others(job, checkpoint)
    left, middle, right = st.columns([4, 4, 2], vertical_alignment="bottom")
    with left:
        other = st.selectbox("Compare with", list(models), key=f"with {job.job_id}", format_func=models.__getitem__)
    with middle:
        queries = training_runs.held_back_queries(Path(str(job.about.get("data", job.folder))))
        query = st.selectbox(
            "on the query", queries, key=f"query {job.job_id}", accept_new_options=True, index=0 if queries else None
        )
    with right:
        st.link_button("Compare", _comparison(job, query or "", other or "", str(checkpoint)), width="stretch")
    st.caption("The model lies here; commands take it as `--model`:")
    st.code(str(checkpoint), language=None, wrap_lines=True)
    if other:
        held_back_card.offer(job, checkpoint, other, models[other])
    if st.button("Make it the default model", key=f"promote {job.job_id}"):
        with st.spinner("Loading it, to see that it keeps its contract …"):
            page_gate.installation().promote(checkpoint)
        st.rerun()


def _others(job: Job, checkpoint: Path) -> dict[str, str]:
    """Return the other models and what they are called: first the default, then the one that the run began with."""
    found = state.client().models("prorank")
    first = [name for name in (load_settings().model, str(job.about.get("base", ""))) if name in found]
    return {name: found[name] for name in dict.fromkeys([*first, *found]) if name != str(checkpoint)}


def _comparison(job: Job, query: str, other: str, checkpoint: str) -> str:
    """Return the address of Compare with both models; it opens beside this page."""
    sets = job.about.get("query_sets")
    store = state.client().store
    indexes = [found.index for found in store.query_sets() if isinstance(sets, Mapping) and found.name in sets]
    address = {"q": query, "left": "prorank", "left_model": other, "right": "prorank", "right_model": checkpoint}
    return "./?" + urlencode(address | ({"index": indexes[0]} if indexes else {}))


def _results_html(results: Mapping[str, Mapping[str, float]]) -> str:
    """Return nDCG@10 on held-back queries as a table."""
    columns = {"queries": "queries", "bm25": "BM25", "model": "model", "blend": "blend"}
    rows = [[name, *(row[column] for column in columns)] for name, row in results.items()]
    return plain_table.of_values("Results", ["nDCG@10 on held-back queries", *columns.values()], rows)
