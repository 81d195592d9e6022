"""What outlives a rerun: the client, once a process; searches that are under way; the choices, in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from prorank_search.protocols import IndexInfo
from prorank_search.settings import load_settings
from prorank_ui import visiting
from prorank_ui.choices import Choice
from prorank_ui.client import Client
from prorank_ui.local_client import LocalClient
from prorank_ui.ranking_table import Place
from prorank_ui.scoring import Scoring
from prorank_ui.service_client import open_service

_WRITTEN = "address as written"
_UNDER_WAY = "searches under way"


@st.cache_resource(show_spinner=False)
def client() -> Client:
    """Return the one client of this process: of the service that the settings name, else of this machine."""
    settings = load_settings()
    return (
        LocalClient(settings, visiting.person) if settings.api_url is None else open_service(settings, visiting.person)
    )


def scorings(choices: Mapping[Place, Choice], index: IndexInfo) -> dict[Place, Scoring]:
    """Start searches, or go on with those that were started before; what nobody asks for any longer is cancelled.

    Args:
        choices: A search for each side.
        index: The index as it is now; a new version of it has new answers.
    """
    before: dict[tuple[object, ...], Scoring] = st.session_state.get(_UNDER_WAY, {})
    depends_on = client().depends_on(index)
    keys = {place: (choice, *depends_on) for place, choice in choices.items()}
    now: dict[tuple[object, ...], Scoring] = {}
    for place, key in keys.items():
        if key not in now:  # two equal sides are one search
            now[key] = before.get(key) or client().start(choices[place], index)
    for key, scoring in before.items():
        if key not in now:
            scoring.cancel()
    st.session_state[_UNDER_WAY] = now
    return {place: now[key] for place, key in keys.items()}


def forget(choices: Sequence[Choice]) -> None:
    """Let searches be done anew: their answers failed, or came only in part."""
    under_way = st.session_state.get(_UNDER_WAY, {})
    st.session_state[_UNDER_WAY] = {key: scoring for key, scoring in under_way.items() if key[0] not in choices}


def follow_address(*keys: str) -> None:
    """Take over what the address says of these fields where it changed by itself: a link, or the Back button."""
    written = st.session_state.get(_WRITTEN, {})
    for key in keys:
        value = st.query_params.get(key, "")
        if value != written.get(key, ""):
            st.session_state[key] = value


def write_address(values: Mapping[str, str]) -> None:
    """Write every field into the address, defaults too: a link keeps its meaning when a default changes."""
    st.session_state[_WRITTEN] = dict(values)
    if st.query_params.to_dict() != values:
        st.query_params.from_dict(values)


def select(label: str, key: str, options: Sequence[str], named: Callable[[str], str] = str) -> str:
    """Draw a selection and return its value; the first option where nothing that can be chosen was."""
    if st.session_state.get(key) not in options:
        choose(key, options[0])
    return st.selectbox(label, options, key=key, format_func=named)


def choose(key: str, value: str) -> None:
    """Set a field of the page, before it is drawn."""
    st.session_state[key] = value
