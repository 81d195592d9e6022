"""The fields of one side of a comparison, behind a button that says what is chosen."""

from __future__ import annotations

from functools import partial

import streamlit as st

from prorank_ui import state, training_runs
from prorank_ui.choices import BLENDS, FIRST_STAGE, Side, blend_name, blend_of

_WINDOWS = ["", "10", "20", "30", "50", "100", "200"]
LONGEST_INSTRUCTION = 1_000
DETAILS = ("model", "window", "blend", "instruction")


def keys(place: str) -> list[str]:
    """Return the keys of a side's fields, in the session as in the address."""
    return [place, *(f"{place}_{detail}" for detail in DETAILS)]


def side(place: str, index: str) -> Side:
    """Draw the fields of a side; return what they hold.

    Args:
        place: What it is called, such as "left": the key of its fields too.
        index: The index that it searches.
    """
    stages = state.client().stages(index)
    own = stages[0]
    stages = [FIRST_STAGE, *stages] if place == "left" else [*stages, FIRST_STAGE]
    chosen = st.session_state.get(place)
    label = _stage_name(chosen if chosen in stages else stages[0])
    with st.popover(f"{place.capitalize()}: {label}", width="stretch"):
        of_another = partial(forget_linked_blend, place)
        stage = state.select("Ranking", place, stages, _stage_name, of_another)
        if stage == FIRST_STAGE:
            return Side()
        models = state.client().models(stage)
        called = {"": "as set up", **training_runs.checkpoints(state.client().home)}
        offered = ["", *models] if stage == own else models  # what is set up is a model of the index's own stage
        model = (
            state.select("Model", f"{place}_model", offered, lambda name: called.get(name, name), of_another)
            if models
            else ""
        )
        blends = list(BLENDS)
        linked = st.session_state.get(f"{place}_blend", "")
        if linked not in blends and blend_of(linked) is not None:
            blends.append(linked)
        window = state.select("Hits rescored", f"{place}_window", _WINDOWS, lambda window: window or "automatic")
        blend = state.select("Order by", f"{place}_blend", blends, blend_name, partial(_keep_blend, place))
        instruction = st.text_input(
            "What counts as relevant",
            key=f"{place}_instruction",
            placeholder="for models that take an instruction",
            max_chars=LONGEST_INSTRUCTION,
        )
    return Side(stage, model, window, blend, instruction.strip())


def forget_linked_blend(place: str) -> None:
    """Order another model as it was tuned: a blend that was not chosen here came with a link, for the one before."""
    key = f"{place}_blend"
    if st.session_state.get(key) != st.session_state.get(f"{key} chosen here"):
        state.choose(key, "")


def _keep_blend(place: str) -> None:
    key = f"{place}_blend"
    st.session_state[f"{key} chosen here"] = st.session_state[key]


def _stage_name(stage: str) -> str:
    return "BM25" if stage == FIRST_STAGE else stage
