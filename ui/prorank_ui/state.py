"""What outlives a rerun: the client, once a process, and what the fields of a page hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from prorank_search.settings import load_settings
from prorank_ui import visiting
from prorank_ui.client import Client
from prorank_ui.clients.local_client import LocalClient
from prorank_ui.clients.service_client import open_service


@st.cache_resource(show_spinner=False)
def client() -> Client:
    """Return the one client of this process: of the service that the settings name, else of this machine."""
    settings = load_settings()
    return (
        LocalClient(settings, visiting.person) if settings.api_url is None else open_service(settings, visiting.person)
    )


def select(
    label: str,
    key: str,
    options: Sequence[str],
    named: Callable[[str], str] = str,
    on_change: Callable[[], None] | None = None,
) -> str:
    """Draw a selection and return its value; the first option where nothing that can be chosen was.

    Args:
        label: What stands above it.
        key: Of the field.
        options: What can be chosen, at least one.
        named: What an option is called.
        on_change: Called before the page is drawn with another choice.
    """
    if st.session_state.get(key) not in options:
        choose(key, options[0])
    return st.selectbox(label, options, key=key, format_func=named, on_change=on_change)


def choose(key: str, value: str) -> None:
    """Set a field of the page, before it is drawn."""
    st.session_state[key] = value
