"""Tells the page which title of a board was clicked."""

from __future__ import annotations

import streamlit as st

_SCRIPT = """
export default function ({ setTriggerValue }) {
  const heard = (event) => {
    const title = event.target.closest?.("[data-pr-doc]");
    if (title) setTriggerValue("picked", title.dataset.prDoc);
  };
  document.addEventListener("click", heard);
  document.documentElement.dataset.prHears = "clicks";  // nobody else can tell when this was loaded
  return () => {
    document.removeEventListener("click", heard);
    delete document.documentElement.dataset.prHears;
  };
}
"""


def picked() -> str | None:
    """Listen for clicks on titles; return the id of the document, in the one run that a click has caused."""
    component = st.components.v2.component("prorank_hit_clicks", html="<span></span>", js=_SCRIPT)
    heard = component(key="hit_clicks", height=1, on_picked_change=_nothing).picked
    return None if heard is None else str(heard)


def _nothing() -> None:
    """A trigger needs somebody who is told of it; the page looks at its value instead."""
