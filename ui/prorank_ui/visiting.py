"""Whose browser asks: the one place that looks at a session's connection."""

from __future__ import annotations

import streamlit as st

from prorank_search.errors import AuthError
from prorank_search.settings import load_settings
from prorank_ui.roles import Person, Visitor, person_of

_THIS_MACHINE = "127.0.0.1"


def visitor() -> Visitor:
    """Return the connection of the session that runs now.

    Raises:
        AuthError: It is gone: nobody can be told who asked.
    """
    before, peer, headers = st.context.headers, st.context.ip_address, st.context.headers
    if not (before and headers):  # of a connection that is gone the address is missing too, as this machine's is
        raise AuthError("the browser's connection is gone: reload the page")
    return Visitor(peer or _THIS_MACHINE, {name.lower(): headers.get_all(name) for name in headers})


def person() -> Person:
    """Return who asks.

    Raises:
        AuthError: They may not even look.
        ConfigError: The settings about proxies do not fit together.
    """
    return person_of(visitor(), load_settings())
