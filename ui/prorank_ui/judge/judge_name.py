"""Who judges: what a trusted proxy says, or a name that is asked for once and kept in a cookie."""

from __future__ import annotations

from urllib.parse import quote, unquote

import streamlit as st

from prorank_ui import state
from prorank_ui.drawing.notices import notice
from prorank_ui.judge import judge_card
from prorank_ui.roles import LONGEST_NAME as LONGEST

_COOKIE = "prorank_judge"
_NAME = "judge"
_YEAR_S = 365 * 24 * 3600
_SCRIPT = """
export default function ({ data }) {
  document.cookie = data.cookie;
}
"""


def ask() -> str | None:
    """Return the judge's name; draw the field that asks for it, and return None, where nobody says it."""
    proxied = state.client().person().name
    if proxied:
        return proxied
    if _NAME not in st.session_state:
        st.session_state[_NAME] = unquote(st.context.cookies.get(_COOKIE, ""))[:LONGEST]
    name = str(st.session_state[_NAME])
    _keep(name)
    if name:
        return name
    st.html(
        notice(
            "info", "Who judges?", "Your grades are kept under your name, apart from those of others who judge here."
        )
    )
    with st.form("who judges", border=False):
        typed = st.text_input("Your name", max_chars=LONGEST).strip()
        if st.form_submit_button("Start judging", type="primary") and typed:
            st.session_state[_NAME] = typed
            st.rerun()
    return None


def offer_change(judge: str) -> None:
    """Say who judges, and let somebody else do it where no proxy says who it is."""
    st.html(judge_card.judge(judge))
    if not state.client().person().name:
        st.button("Change judge", on_click=_forget)


def _forget() -> None:
    st.session_state[_NAME] = ""


def _keep(name: str) -> None:
    """Let the browser remember the name, or forget it."""
    cookie = f"{_COOKIE}={quote(name, safe='')}; Path=/; SameSite=Strict; Max-Age={_YEAR_S if name else 0}"
    component = st.components.v2.component("prorank_judge_name", html="<span></span>", js=_SCRIPT)
    component(key="judge name", height=1, data={"cookie": cookie})
