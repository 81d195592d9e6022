"""Compare: one query, BM25's ranking and the second stage's side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from prorank_search.errors import MissingModelError, ProRankError
from prorank_search.movement import compare, nothing_found
from prorank_search.protocols import IndexInfo
from prorank_search.types import SearchResult
from prorank_ui import ranking_table as table
from prorank_ui import state
from prorank_ui.client import Choice
from prorank_ui.wording import beware, count, first_stage_note, rescored_note, stage_times

STAND_IN = "overlap"
"""The second stage that needs no model."""


def page() -> None:
    """Draw the page."""
    st.html(table.STYLES)
    st.title("BM25 and ProRank, side by side", anchor=False)
    try:
        indexes = state.client().indexes()
        if not indexes:
            _show_how_to_start()
            return
        choice, index = _ask(indexes)
        if choice.query:
            _compare(choice, index)
        else:
            advice = "Type a query and press Enter: BM25's ranking and the rescored one appear side by side."
            st.html(table.notice("info", f"{count(index.documents, 'document')} to search", advice))
    except ProRankError as error:
        st.html(table.notice("error", "The search failed", str(error)))


def _show_how_to_start() -> None:
    st.html(table.notice("info", "There is no index yet", "Put documents into one, then reload this page:"))
    st.code("prorank ingest FOLDER_OR_FILE --index NAME", language="shell")
    st.write("Nothing at hand? Python brings its own documentation:")
    st.code("prorank ingest python-topics --index python", language="shell")


def _ask(indexes: Sequence[IndexInfo]) -> tuple[Choice, IndexInfo]:
    """Draw the three fields; return the search that they hold."""
    state.follow_address("q", "index", "rescorer")
    left, middle, right = st.columns([6, 2, 2])
    by_name = {index.name: index for index in indexes}
    with middle:
        index = by_name[state.select("Index", "index", list(by_name))]
    settings = state.client().settings(index.name)
    others = [name for name in state.client().rescorers() if name != settings.rescorer]
    with right:
        rescorer = state.select("Second stage", "rescorer", [settings.rescorer, *others])
    with left:
        query = st.text_input("Query", key="q", placeholder="Ask in your own words").strip()
    if query:
        state.write_address(q=query, index=index.name, rescorer=rescorer)
    return Choice(query, index.name, rescorer, settings.top_k), index


def _compare(choice: Choice, index: IndexInfo) -> None:
    """Show BM25's side at once, the other one when it is there."""
    first = state.search(choice.first_stage(), index)
    if not first.hits:
        advice = f"Try other words: {choice.index!r} holds {count(index.documents, 'document')}."
        headline = nothing_found(first.status) if first.status.reason else "No document holds a word of this query"
        st.html(table.notice("info", headline, advice))
        return
    screen = st.empty()
    screen.html(_pending(first, choice))
    try:
        result = state.search(choice, index)
    except ProRankError as error:
        with screen.container():
            _show_failed(first, choice, error)
    except Exception:
        screen.html(_failed(first, choice, "An error that nobody foresaw: it stands below and in the log."))
        raise
    else:
        screen.html(_finished(result, choice))


def _show_failed(first: SearchResult, choice: Choice, error: ProRankError) -> None:
    """Show a second stage that could not even start, above it what to do."""
    if isinstance(error, MissingModelError):
        st.html(table.notice("warning", "The model is not on this machine", "Fetch it once, then reload this page:"))
        st.code("prorank models pull", language="shell")
    if choice.rescorer != STAND_IN:
        st.button("Compare with the word-overlap stand-in", on_click=state.choose, args=("rescorer", STAND_IN))
    st.html(_failed(first, choice, str(error)))


def _pending(first: SearchResult, choice: Choice) -> str:
    waiting = table.pending_side(heading=choice.rescorer or "", note="rescoring …", count=len(first.hits))
    return table.summary("Rescoring …", "") + table.board(_first_stage(first, choice), waiting)


def _failed(first: SearchResult, choice: Choice, reason: str) -> str:
    failed = table.failed_side(heading=choice.rescorer or "", note="failed", reason=reason)
    sentence = "The second stage failed; BM25's ranking is all there is."
    return table.summary(sentence, "") + table.board(_first_stage(first, choice), failed)


def _finished(result: SearchResult, choice: Choice) -> str:
    if result.status.state == "degraded":
        return _failed(result, choice, result.status.reason)
    both = compare(result, choice.top_k)
    heading = result.status.model or choice.rescorer or ""
    right = table.rescored_side(both.second_stage, heading=heading, note=rescored_note(result), top_k=choice.top_k)
    left = table.first_stage_side(both.first_stage, note=first_stage_note(result), moved=True)
    warning = beware(result)
    return (
        table.summary(both.summary, stage_times(result))
        + (table.notice("warning", *warning) if warning else "")
        + table.board(left, right)
    )


def _first_stage(result: SearchResult, choice: Choice) -> str:
    hits = compare(result, choice.top_k).first_stage
    return table.first_stage_side(hits, note=first_stage_note(result), moved=False)
