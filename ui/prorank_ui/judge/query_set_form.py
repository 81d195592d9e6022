"""The form that makes a query set, or puts more queries into one: typed, from a file, from a BEIR folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from prorank_search import beir
from prorank_search.errors import InputError, ProRankError
from prorank_search.protocols import IndexInfo
from prorank_search.types import Query
from prorank_ui import state
from prorank_ui.drawing import dialogs
from prorank_ui.drawing.notices import notice
from prorank_ui.evaluate.evaluating import COLLECTIONS, sources
from prorank_ui.judge import small_uploads

LONGEST_NAME = 80
LONGEST_TEXT = 1_000_000
MADE = "query set made here"
"""Key of the set that this form made last."""

TYPED, FILE, FOLDER = "Typed", "A file", "A BEIR folder"

Read = Callable[[], Sequence[Query]]
"""Reads the queries out of the fields."""


@st.dialog("New query set", width="large", on_dismiss=dialogs.close)
def open_form(indexes: Sequence[IndexInfo]) -> None:
    """Open the form as a dialog."""
    show(indexes)


def show(indexes: Sequence[IndexInfo]) -> None:
    """Draw the form. It sends all its fields at once: nothing can come after the set is made."""
    way = st.segmented_control("Queries", [TYPED, FILE, FOLDER], default=TYPED, key="queries from", wrap=True) or TYPED
    with st.form("new query set", border=False):
        left, right = st.columns(2)
        name = left.text_input(
            "Name", max_chars=LONGEST_NAME, key="new set", help="The name of a set that is there puts more into it."
        ).strip()
        index = right.selectbox("Index whose documents are judged", [one.name for one in indexes])
        read = {TYPED: _typed, FILE: _uploaded, FOLDER: _of_folder}[way]()
        made = st.form_submit_button("Make the set")
    if made:
        try:
            _make(name, index, read())
        except ProRankError as error:
            st.html(notice("error", "The set was not made", str(error)))


def _make(name: str, index: str, queries: Sequence[Query]) -> None:
    if not name:
        raise InputError("the set has no name: give it one")
    state.client().add_queries(name, index, queries)
    st.session_state[MADE] = name
    dialogs.close()
    st.rerun()


def _typed() -> Read:
    text = st.text_area("One query a line", height=160, max_chars=LONGEST_TEXT, key="typed queries")
    return lambda: list(small_uploads.typed_queries(text).values())


def _uploaded() -> Read:
    file = st.file_uploader(
        "Text (a query a line, or id, tab, query), CSV (id, query) or JSONL",
        type=["txt", "tsv", "csv", "jsonl"],
        max_upload_size=small_uploads.LARGEST_MB,
        key="uploaded queries",
    )

    def read() -> Sequence[Query]:
        if file is None:
            raise InputError("there is no file: choose one")
        return list(small_uploads.read(file, small_uploads.uploaded_queries).values())

    return read


def _of_folder() -> Read:
    """Offer the splits of the folders in the home's folder of them; their judged queries are read."""
    home = state.client().home
    splits = [(one.name, split) for one in sources([], home) for split in one.splits]
    where = f"one (queries.jsonl, qrels/) into {home / COLLECTIONS}"
    if splits:
        chosen = st.selectbox("Folder and split", splits, format_func=" / ".join)
    else:
        chosen = None
        st.html(notice("info", "There is no BEIR folder yet", f"Put {where}."))

    def read() -> Sequence[Query]:
        if chosen is None:
            raise InputError(f"there is no BEIR folder: put {where}")
        folder = home / COLLECTIONS / chosen[0]
        judged = {qrel.query_id for qrel in beir.read_qrels(folder, chosen[1])}
        return [query for query in beir.read_queries(folder).values() if query.query_id in judged]

    return read
