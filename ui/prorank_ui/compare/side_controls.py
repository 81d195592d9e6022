"""The fields of one side of a comparison, behind a button that says what is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from textwrap import shorten

import streamlit as st

from prorank_ui import state
from prorank_ui.choices import BLENDS, DETAILS, FIRST_STAGE, Side, blend_name, blend_of
from prorank_ui.drawing.markup import unmarked
from prorank_ui.evaluate.evaluating import system_name

_WINDOWS = ["", "10", "20", "30", "50", "100", "200"]
LONGEST_INSTRUCTION = 1_000
_LONGEST_LABEL = 80


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
    held = st.session_state.get(place)
    stage = held if held in stages else stages[0]
    models = {} if stage == FIRST_STAGE else state.client().models(stage)
    with st.popover(unmarked(f"{place.capitalize()}: {_label(place, stage, models)}"), width="stretch"):
        of_another = partial(forget_linked_blend, place)
        state.select("Ranking", place, stages, _stage_name, of_another)
        if stage == FIRST_STAGE:
            return Side()
        offered = {"": "as set up", **models} if stage == own else models  # it is a model of the index's own stage
        key = f"{place}_model"
        model = state.select("Model", key, list(offered), offered.__getitem__, of_another) if models else ""
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


def _label(place: str, stage: str, models: Mapping[str, str]) -> str:
    """Return what the button says: what was chosen of the fields behind it, which are not drawn yet."""
    if stage == FIRST_STAGE:
        return _stage_name(stage)
    held = {detail: st.session_state.get(f"{place}_{detail}", "") for detail in DETAILS}
    side = Side(stage, **held | {"model": models.get(held["model"], "")})
    return shorten(system_name(side), _LONGEST_LABEL, placeholder=" …")


def _stage_name(stage: str) -> str:
    return "BM25" if stage == FIRST_STAGE else stage
