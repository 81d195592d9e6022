"""Which hits of a comparison are shown: those that moved in one way, a page at a time. Both are part of the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from prorank_ui import address, state
from prorank_ui.compare.pairing import Pairing, Placed
from prorank_ui.compare.ranking_table import Place

HITS_A_PAGE = 20

_KINDS = {
    "all": "All",
    "up": "Moved up",
    "down": "Moved down",
    "new": "New",
    "only-left": "Only left",
    "only-right": "Only right",
}
_ALSO = {"new": "up", "gone": "down"}
"""What a kind shows too."""

_DEFAULTS = {"show": "all", "page": "1"}


def follow() -> None:
    """Take over what the address says of them, and keep them where they are not drawn, as in a search under way."""
    address.follow(*_DEFAULTS)
    for key, value in held().items():
        state.choose(key, value)


def held() -> dict[str, str]:
    """Return what the address says of them."""
    return {key: st.session_state.get(key) or default for key, default in _DEFAULTS.items()}


def reset() -> None:
    """Show all hits, from the first: of another search, or because somebody wants it."""
    for key, value in _DEFAULTS.items():
        state.choose(key, value)


def choose_kind() -> None:
    """Draw the kinds of hits that can be shown."""
    if held()["show"] not in _KINDS:
        reset()
    st.segmented_control(
        "Show", list(_KINDS), key="show", format_func=_KINDS.__getitem__, on_change=_first_page, wrap=True
    )


def choose_page(both: Pairing) -> dict[Place, Sequence[Placed]]:
    """Draw the pages of that kind; return the hits of each side on the one that is chosen."""
    kind = held()["show"]
    sides: dict[Place, Sequence[Placed]] = {
        "left": [placed for placed in both.left if _is_shown(placed, kind, "left")],
        "right": [placed for placed in both.right if _is_shown(placed, kind, "right")],
    }
    pages = [str(page) for page in range(1, max(1, -(-max(map(len, sides.values())) // HITS_A_PAGE)) + 1)]
    if held()["page"] not in pages:
        _first_page()
    st.segmented_control("Page", pages, key="page", wrap=True)
    start = (int(held()["page"]) - 1) * HITS_A_PAGE
    return {place: placed[start : start + HITS_A_PAGE] for place, placed in sides.items()}


def _first_page() -> None:
    state.choose("page", _DEFAULTS["page"])


def _is_shown(placed: Placed, kind: str, place: Place) -> bool:
    if kind == "all":
        return True
    if kind in {"only-left", "only-right"}:
        return placed.other_rank is None and kind == f"only-{place}"
    return placed.change is not None and kind in {placed.change, _ALSO.get(placed.change)}
