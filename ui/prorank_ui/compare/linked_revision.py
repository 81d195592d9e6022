"""The revision of a model that a link names: where the model is another one now, the ranks are other ones too."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from prorank_search.types import SearchResult
from prorank_ui.choices import Choice
from prorank_ui.compare.ranking_table import Place

_LINKED = "revisions that a link names"
_LONGEST = 24
"""Characters of a revision that are shown."""


def key(place: Place) -> str:
    """Return what the address calls the revision of a side's model."""
    return f"{place}_revision"


def remember(choices: Mapping[Place, Choice]) -> None:
    """Keep the revisions that a link has just brought, each for the search that it names: another one has no past."""
    linked: dict[Place, tuple[Choice, str]] = st.session_state.setdefault(_LINKED, {})
    for place, choice in choices.items():
        revision = st.session_state.pop(key(place), "")
        if revision:
            linked[place] = (choice, revision)


def changes(choices: Mapping[Place, Choice], results: Mapping[Place, SearchResult]) -> list[str]:
    """Return a sentence for each side whose model is no longer the one of the link.

    Args:
        choices: What is searched on each side.
        results: What was found.
    """
    linked: dict[Place, tuple[Choice, str]] = st.session_state.get(_LINKED, {})
    return [
        f"The {place} side no longer scores as it did when this link was made: {result.status.model} had the revision "
        f"{_short(before)} then and has {_short(now)} now, so ranks and scores may differ."
        for place, result in results.items()
        for choice, before in [linked.get(place, (None, ""))]
        if choice == choices[place] and (now := result.status.model_revision or "") and now != before
    ]


def _short(revision: str) -> str:
    """Return enough of a revision to tell it from another one.

    Example:
        >>> _short("overlap-1"), _short("a" * 30)
        ('overlap-1', 'aaaaaaaaaaa…aaaaaaaaaaaa')
    """
    half = _LONGEST // 2
    return revision if len(revision) <= _LONGEST else f"{revision[: half - 1]}…{revision[-half:]}"
