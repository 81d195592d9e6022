"""Searches that are under way for a session; those that nobody waits for any longer are cancelled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from prorank_search.protocols import IndexInfo
from prorank_ui import state
from prorank_ui.choices import Choice
from prorank_ui.compare.ranking_table import Place
from prorank_ui.running_search import RunningSearch

Key = tuple[object, ...]
"""What a search is for, and what its answer depends on."""

_COMPARE = "compare"


def _cancel_all(searches: dict[Key, RunningSearch]) -> None:
    keep(searches, ())


@st.cache_resource(scope="session", show_spinner=False, on_release=_cancel_all)
def under_way(page: str) -> dict[Key, RunningSearch]:
    """Return a page's searches in this session; none once its browser had gone, which cancels them."""
    del page
    return {}


def keep(searches: dict[Key, RunningSearch], wanted: Collection[Key]) -> None:
    """Cancel and drop all searches but those that are wanted."""
    for key in [key for key in searches if key not in wanted]:
        searches.pop(key).cancel()


def compare(choices: Mapping[Place, Choice], index: IndexInfo) -> dict[Place, RunningSearch]:
    """Start both sides' searches, or go on with them; what Compare asked for before is cancelled.

    Args:
        choices: A search for each side.
        index: The index as it is now; a new version of it has new answers.
    """
    client, searches = state.client(), under_way(_COMPARE)
    depends_on = client.depends_on(index)
    keys: dict[Place, Key] = {place: (choice, *depends_on) for place, choice in choices.items()}
    keep(searches, keys.values())
    for place, key in keys.items():
        if key not in searches:  # two equal sides are one search
            searches[key] = client.start(choices[place], index)
    return {place: searches[key] for place, key in keys.items()}


def forget(choices: Sequence[Choice]) -> None:
    """Let Compare search these anew: their answers failed, or the rest of one that came in part is wanted."""
    searches = under_way(_COMPARE)
    keep(searches, [key for key in searches if key[0] not in choices])
