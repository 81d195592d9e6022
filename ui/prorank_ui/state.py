"""What outlives a rerun: the client, once a process; searches, once each; the choices, in the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from prorank_search.protocols import IndexInfo
from prorank_search.types import SearchResult
from prorank_ui.client import Choice, Client, LocalClient

_WRITTEN = "address as written"


@st.cache_resource(show_spinner=False)
def client() -> Client:
    """Return the one client of this process."""
    return LocalClient()


def search(choice: Choice, index: IndexInfo) -> SearchResult:
    """Search, or return what the same search found before.

    An answer whose second stage failed or ran out of time is not kept: the next rerun tries again.

    Args:
        choice: The search.
        index: The index as it is now; a new version of it has new answers.
    """
    result = _search(choice, index)
    if result.status.state in {"partial", "degraded"}:
        _search.clear(choice, index)
    return result


@st.cache_data(max_entries=500, show_spinner=False)
def _search(choice: Choice, index: IndexInfo) -> SearchResult:  # noqa: ARG001 (part of the key)
    return client().search(choice)


def follow_address(*keys: str) -> None:
    """Take over what the address says of these fields where it changed by itself: a link, or the Back button."""
    written = st.session_state.get(_WRITTEN, {})
    for key in keys:
        value = st.query_params.get(key, "")
        if value != written.get(key, ""):
            st.session_state[key] = value


def write_address(**values: str) -> None:
    """Write every field into the address, defaults too: a link keeps its meaning when a default changes."""
    st.session_state[_WRITTEN] = values
    if st.query_params.to_dict() != values:
        st.query_params.from_dict(values)


def select(label: str, key: str, options: Sequence[str]) -> str:
    """Draw a selection and return its value; the first option where nothing that can be chosen was."""
    if st.session_state.get(key) not in options:
        choose(key, options[0])
    return st.selectbox(label, options, key=key)


def choose(key: str, value: str) -> None:
    """Set a field of the page, before it is drawn."""
    st.session_state[key] = value
