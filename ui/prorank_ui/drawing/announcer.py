"""Tells those who hear a page what is new on it: in a region that stays while the page is drawn anew."""

from __future__ import annotations

import streamlit as st

_HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"
"""From eyes alone; with a size, so that nothing around it has to scroll."""

_REGION = f'<span role="status" data-pr-heard style="{_HIDDEN}"></span>'
_SCRIPT = """
export default function ({ parentElement, data }) {
  const region = parentElement.querySelector("[data-pr-heard]");
  if (region.textContent !== data.text) region.textContent = data.text;
}
"""


def announce(text: str) -> None:
    """Say something; what was said last is not said again."""
    component = st.components.v2.component("prorank_announcer", html=_REGION, js=_SCRIPT)
    component(key="announcer", height=1, data={"text": text})
