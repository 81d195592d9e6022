"""A page's state in the address: taken over where it changed by itself, written out in full where a field did.

Streamlit drops fields and address with every change of the page; what a page wrote last is kept for whoever comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

_PAGE = "page that is shown"
_ENTERED = "whether it has just been entered"
_WRITTEN = "addresses as written"
_SCRIPT = """
const same = (one, other) => `${new URLSearchParams(one)}` === `${new URLSearchParams(other)}`;

export default function ({ data }) {
  if (same(location.search, data.before)) history.replaceState(history.state, "", `?${data.now}`);
}
"""


def enter(page: str) -> None:
    """Take note of the page that is going to be drawn."""
    st.session_state[_ENTERED] = st.session_state.get(_PAGE) not in {None, page}
    st.session_state[_PAGE] = page


def is_entered() -> bool:
    """Tell whether the page was another one in the run before."""
    return bool(st.session_state.get(_ENTERED))


def last(page: str) -> Mapping[str, str]:
    """Return what a page wrote last in this session."""
    pages: dict[str, Mapping[str, str]] = st.session_state.get(_WRITTEN, {})
    return pages.get(page, {})


def said(key: str) -> str:
    """Return what the address says of a field, or said last, where somebody comes from another page without a link."""
    comes_back = is_entered() and not st.query_params
    return _last_here().get(key, "") if comes_back else st.query_params.get(key, "")


def follow(*keys: str) -> None:
    """Take over what the address says of these fields where it changed by itself: a link, Back, another page before."""
    written = _last_here()
    now = {key: said(key) for key in keys}
    for key, value in now.items():
        if value != written.get(key, "") or (value and is_entered()):
            st.session_state[key] = value
    _keep({**written, **now})


def taken_over(key: str) -> str | None:
    """Return what the address says of something that is no field, where it changed by itself; None where it did not.

    An address that says nothing is no change: a browser asks with it until it knows the one that was written.
    """
    written, now = _last_here(), said(key)
    before = written.get(key, "")
    _keep({**written, key: now or before})
    return now if now and (now != before or is_entered()) else None


def write(values: Mapping[str, str]) -> None:
    """Write every field into the address, defaults too: a link keeps its meaning when a default changes.

    Where the address changes by this, it is a step for the browser's Back button; to enter the page was one already.
    """
    before = st.query_params.to_dict()
    if is_entered():
        _replace("address-entered", before, values)
    elif before != values:
        st.query_params.from_dict(values)
    _keep(values)


def complete(values: Mapping[str, str]) -> None:
    """Let the browser's address say what was found out since it was written, which is no step for its Back button.

    Streamlit is told by the next `write`: what it writes by itself is a step.
    """
    _replace("address-completed", _last_here(), values)
    if is_entered():
        _keep(values)


def _last_here() -> Mapping[str, str]:
    return last(st.session_state.get(_PAGE, ""))


def _keep(values: Mapping[str, str]) -> None:
    st.session_state[_WRITTEN] = st.session_state.get(_WRITTEN, {}) | {st.session_state.get(_PAGE, ""): dict(values)}


def _replace(key: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    if before != now:
        component = st.components.v2.component("prorank_address", html="<span></span>", js=_SCRIPT)
        component(key=key, height=1, data={"before": urlencode(before), "now": urlencode(now)})
