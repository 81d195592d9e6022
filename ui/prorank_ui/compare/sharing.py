"""A comparison that is kept or sent to somebody: saved under a short id, or as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from prorank_search.errors import InputError
from prorank_search.judgments import query_id_of
from prorank_search.types import SearchResult
from prorank_ui import state
from prorank_ui.compare import exports
from prorank_ui.compare import ranking_table as table
from prorank_ui.drawing import notices
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice, summary


def open_saved() -> None:
    """Put the saved comparison that the address names in its place."""
    name = st.query_params.get("saved")
    if name:
        try:
            kept = state.client().store.comparison(name)
        except InputError as error:
            st.html(notice("warning", "This short address does not exist", str(error)))
            del st.query_params["saved"]
            return
        st.query_params.from_dict({key: str(value) for key, value in kept.items()})


def offer(
    address: Mapping[str, str],
    results: Mapping[table.Place, SearchResult],
    names: Mapping[table.Place, str],
    sentence: str,
    board: str,
) -> None:
    """Draw what can be done with a comparison; a file is written once somebody wants it.

    Args:
        address: What a link to it says.
        results: Each side's result.
        names: What each side is called.
        sentence: What it says of them.
        board: Both sides as HTML.
    """
    with st.popover("Save or export"):
        if st.button("Save under a short address", disabled=not state.client().person().may("judge")):
            name = state.client().save_comparison(address)
            st.code(f"{st.context.url or ''}?saved={name}", language=None, wrap_lines=True)
        named = {f"{place} {names[place]}": result for place, result in results.items()}
        parts = [summary(sentence, f"index {address['index']}"), board]
        st.caption("Download it as:")
        _offer_file("JSON", "comparison.json", lambda: exports.as_json(named, address))
        _offer_file("CSV", "comparison.csv", lambda: exports.as_csv(named))
        _offer_file("Web page", "comparison.html", lambda: exports.as_page(address["q"], _styles(), parts))
        for place, result in results.items():
            try:
                run = exports.as_run(names[place], result, query_id_of(address["q"]))
            except InputError as error:
                st.caption(unmarked(f"No TREC run, {place}: {error}"))
            else:
                _offer_file(f"TREC run, {place}", f"{place}.run", run)


def _styles() -> str:
    return "".join(sheet.read_text("utf-8") for sheet in (notices.STYLES, table.STYLES))


def _offer_file(label: str, name: str, content: str | Callable[[], str]) -> None:
    st.download_button(label, content, file_name=name, on_click="ignore", key=f"export {label}")
