"""Which dialog is open over a page. The page's shortcuts have to be off meanwhile: Streamlit lets them through."""

from __future__ import annotations

import streamlit as st

_OPENED = "dialog that is open"


def open_one(name: str) -> None:
    """Open a dialog in the run to come."""
    st.session_state[_OPENED] = name


def close() -> None:
    """Open none any longer: one was put away, or has done what it was opened for."""
    st.session_state[_OPENED] = ""


def opened() -> str:
    """Return the name of the dialog that is open; empty: none is."""
    return str(st.session_state.get(_OPENED, ""))
