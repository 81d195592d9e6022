"""The page's state in the address: taken over where it changed by itself, written out in full where a field did."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

_WRITTEN = "address as written"
_SCRIPT = """
const same = (one, other) => `${new URLSearchParams(one)}` === `${new URLSearchParams(other)}`;

export default function ({ data }) {
  if (same(location.search, data.before)) history.replaceState(history.state, "", `?${data.now}`);
}
"""


def follow(*keys: str) -> None:
    """Take over what the address says of these fields where it changed by itself: a link, or the Back button."""
    written = st.session_state.setdefault(_WRITTEN, {})
    for key in keys:
        value = st.query_params.get(key, "")
        if value != written.get(key, ""):
            st.session_state[key] = written[key] = value


def write(values: Mapping[str, str]) -> None:
    """Write every field into the address, defaults too: a link keeps its meaning when a default changes.

    Where the address changes by this, it is a step for the browser's Back button.
    """
    st.session_state[_WRITTEN] = dict(values)
    if st.query_params.to_dict() != values:
        st.query_params.from_dict(values)


def complete(values: Mapping[str, str]) -> None:
    """Let the browser's address say what was found out since it was written, which is no step for its Back button.

    Streamlit is told by the next `write`: what it writes by itself is a step.
    """
    before = st.query_params.to_dict()
    if before != values:
        component = st.components.v2.component("prorank_address", html="<span></span>", js=_SCRIPT)
        component(key="address", height=1, data={"before": urlencode(before), "now": urlencode(values)})
