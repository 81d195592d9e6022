"""Whether a page can be used: by whom, and where."""

from __future__ import annotations

import streamlit as st

from prorank_search.errors import ConfigError
from prorank_ui import state
from prorank_ui.clients.local_client import LocalClient
from prorank_ui.drawing.notices import notice
from prorank_ui.roles import Person, Role

_DEEDS: dict[Role, str] = {
    "viewer": "Viewers see Compare, Evaluate and Status",
    "judge": "Judges also judge and start evaluations",
    "operator": "Operators also train, add documents and look after indexes",
}


def admits(role: Role) -> bool:
    """Tell whether whoever asks may use this page; where not, say so.

    Raises:
        AuthError: They may not even look.
    """
    person = state.client().person()
    if person.may(role):
        return True
    told = f"{who(person)} {_DEEDS[role]}: ask your administrator."
    st.html(notice("info", f"This page needs the role {role}", told))
    return False


def who(person: Person) -> str:
    """Say who somebody is to us.

    Example:
        >>> who(Person("judge", "ada")), who(Person("operator"))
        ('You are ada, with the role judge.', 'You have the role operator.')
    """
    known = f"You are {person.name}, with" if person.name else "You have"
    return f"{known} the role {person.role}."


def is_local() -> bool:
    """Tell whether the pages work with this machine's own models, indexes and files; where not, say so."""
    client = state.client()
    if not client.service:
        return True
    told = (
        f"It works with models, indexes and files, which the service at {client.service} keeps to itself: run prorank "
        "ui on the machine of that service, or without PRORANK_API_URL."
    )
    st.html(notice("info", "This page needs a local installation", told))
    return False


def installation() -> LocalClient:
    """Return the client of this machine's own models, indexes and files.

    Raises:
        ConfigError: The pages ask a service, see `is_local`.
    """
    client = state.client()
    if isinstance(client, LocalClient):
        return client
    raise ConfigError("this needs a local installation: run `prorank ui` without PRORANK_API_URL")
