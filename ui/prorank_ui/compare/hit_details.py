"""One document in full: text, metadata, what each side says of it, and why it has its score."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from prorank_search.errors import ProRankError
from prorank_search.types import RescoredHit
from prorank_ui import state
from prorank_ui.choices import Choice
from prorank_ui.compare import explanation
from prorank_ui.compare.ranking_table import facts_of
from prorank_ui.drawing.markup import escape, mark, unmarked
from prorank_ui.drawing.notices import notice


@st.dialog("Document", width="large")
def show(choices: Mapping[str, Choice], hits: Mapping[str, RescoredHit]) -> None:
    """Open the panel of a document.

    Args:
        choices: What each side is, by its name.
        hits: The document's hit on the sides that have it, by the side's name.
    """
    hit = next(iter(hits.values()))
    document = hit.document
    st.html(f'<h3 dir="auto">{mark(document.title or document.doc_id, hit.highlights)}</h3>')
    for name, of_side in hits.items():
        facts = facts_of(of_side, rescored=False)
        heading = f"<b>{escape(name)}</b> rank {of_side.rank}"
        st.html(f'<div class="pr-board pr-detail">{heading} <span class="pr-facts">{facts}</span></div>')
        if of_side.passage:
            st.html(
                f'<blockquote class="pr-passage" dir="auto">{mark(of_side.passage, of_side.highlights)}</blockquote>'
            )
    for name, of_side in hits.items():
        if of_side.rescore_score is not None:
            _why(name, choices[name], of_side)
    if not hit.passage:  # which would be the text of the document once more
        st.html(f'<p class="pr-full" dir="auto">{mark(document.text, hit.highlights)}</p>')
    known = {"id": document.doc_id, **document.metadata}
    rows = "".join(f"<tr><th>{escape(str(key))}</th><td>{escape(str(value))}</td></tr>" for key, value in known.items())
    st.html(f'<table class="pr-metadata">{rows}</table>')


def _why(name: str, choice: Choice, hit: RescoredHit) -> None:
    """Offer the score with each sentence left out."""
    if not st.button(f"Why this rank? ({unmarked(name)})", key=f"why {name}"):
        return
    try:
        text = state.client().text_of(choice.index, hit.document)
        with st.spinner("Scoring the document without each of its sentences"):
            told = explanation.contributions(text, lambda texts: state.client().score(choice, texts))
    except ProRankError as error:
        st.html(notice("error", "No explanation", str(error)))
        return
    st.html(explanation.drawn(told))
    if len(told) == 1:
        st.caption("One sentence: there is nothing to leave out.")
    else:
        st.caption("Green sentences raise the score by the number behind them; red ones, underlined, lower it.")
