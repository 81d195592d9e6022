"""The form that starts an evaluation: what to measure with, and any number of systems."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import streamlit as st

from prorank_search.errors import ProRankError
from prorank_search.protocols import IndexInfo
from prorank_ui import run_choice, state
from prorank_ui.choices import FIRST_STAGE, Side
from prorank_ui.compare import side_controls
from prorank_ui.drawing.notices import notice
from prorank_ui.drawing.wording import count
from prorank_ui.evaluate import evaluating
from prorank_ui.evaluate.evaluating import EvaluationWish, Source

FAILED = "why no evaluation was started"
_SYSTEMS = "systems"
_AT_FIRST = 2


def show(sources: Sequence[Source], indexes: Sequence[IndexInfo]) -> None:
    """Draw the form.

    Args:
        sources: What can be measured with, at least one.
        indexes: What can be searched.
    """
    failed = st.session_state.pop(FAILED, None)
    if failed:
        st.html(notice("error", "The evaluation was not started", failed))
    source, split = _source(sources)
    index = _index(source, indexes)
    if index is None:
        return
    sides = _sides(index)
    limit, smaller = st.columns([1, 2], vertical_alignment="bottom")
    with limit:
        most = st.number_input("Queries at most", min_value=1, value=None, placeholder="all", key="limit")
    with smaller:
        timed = "" if state.client().service else ", with the time they take"
        windows = st.checkbox(f"Smaller windows too{timed}", value=True, key="smaller windows")
    wish = EvaluationWish(source, split, index, sides, most, windows)
    if st.button("Start", type="primary", key="start evaluation"):  # no callback: it would have the run before's wish
        _start(wish)


def _source(sources: Sequence[Source]) -> tuple[Source, str]:
    """Draw the choice of queries with judgments, and of a folder's split."""
    by_label = {_label(source): source for source in sources}
    wide, narrow = st.columns([7, 3])
    with wide:
        source = by_label[state.select("Queries and judgments", "source", list(by_label))]
    if not source.splits:
        return source, "test"
    with narrow:
        splits = sorted(source.splits, key=lambda split: split != "test")
        return source, state.select("Split", f"split of {source.name}", splits)


def _label(source: Source) -> str:
    what = "BEIR folder" if source.splits else count(source.queries, "query")
    return f"{source.name} ({what})"


def _index(source: Source, indexes: Sequence[IndexInfo]) -> str | None:
    """Return the index to search; None, and say so, where it is gone."""
    names = [index.name for index in indexes]
    if not source.index:
        likely = sorted(names, key=lambda name: name != source.name)
        return state.select("Index", f"index of {source.name}", likely)
    if source.index in names:
        return source.index
    advice = f"The query set {source.name!r} was judged in it: ingest it again, or choose other queries."
    st.html(notice("warning", f"The index {source.index!r} is not there", advice))
    return None


def _sides(index: str) -> list[Side]:
    """Draw the systems; return what they are."""
    number = st.session_state.setdefault(_SYSTEMS, _AT_FIRST)
    places = [f"system {at}" for at in range(1, number + 1)]
    if places[0] not in st.session_state:
        state.choose(places[0], FIRST_STAGE)
    sides = []
    columns = chain.from_iterable(st.columns(2) for _ in places[::2])
    for place, column in zip(places, columns, strict=False):
        with column:
            sides.append(side_controls.side(place, index))
    with st.container(horizontal=True):
        st.button("Add a system", on_click=_change_systems, args=(1,))
        st.button("Remove the last", on_click=_change_systems, args=(-1,), disabled=number == 1)
    return sides


def _change_systems(by: int) -> None:
    st.session_state[_SYSTEMS] += by


def _start(wish: EvaluationWish) -> None:
    try:
        job = state.client().start_evaluation(wish)
    except ProRankError as error:
        st.session_state[FAILED] = str(error)
    else:
        run_choice.show_next(evaluating.KIND, job.job_id)
    st.rerun()
