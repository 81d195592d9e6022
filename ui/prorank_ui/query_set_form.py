"""The form that makes a query set, or puts more queries into one: typed, from a file, from a BEIR folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from prorank_search import beir
from prorank_search.errors import InputError, ProRankError
from prorank_search.protocols import IndexInfo
from prorank_search.types import Query
from prorank_ui import ranking_table as table
from prorank_ui import small_uploads, state
from prorank_ui.evaluating import COLLECTIONS, sources
from prorank_ui.wording import count

LONGEST_NAME = 80
LONGEST_TEXT = 1_000_000
MADE = "query set made here"
"""Key of the set that this form made last."""

TYPED, FILE, FOLDER = "Typed", "A file", "A BEIR folder"


@st.dialog("New query set", width="large")
def open_form(indexes: Sequence[IndexInfo]) -> None:
    """Open the form as a dialog."""
    show(indexes)


def show(indexes: Sequence[IndexInfo]) -> None:
    """Draw the form."""
    left, right = st.columns(2)
    name = left.text_input(
        "Name", max_chars=LONGEST_NAME, key="new set", help="The name of a set that is there puts more queries into it."
    ).strip()
    index = right.selectbox("Index whose documents are judged", [one.name for one in indexes])
    way = st.segmented_control("Queries", [TYPED, FILE, FOLDER], default=TYPED, key="queries from") or TYPED
    try:
        queries = {TYPED: _typed, FILE: _uploaded, FOLDER: _of_folder}[way]()
        if st.button("Make the set", disabled=not queries):
            _make(name, index, queries)
    except ProRankError as error:
        st.html(table.notice("error", "The set was not made", str(error)))


def _make(name: str, index: str, queries: Sequence[Query]) -> None:
    if not name:
        raise InputError("the set has no name: give it one")
    state.client().store.add_queries(name, index, queries)
    st.session_state[MADE] = name
    st.rerun()


def _typed() -> list[Query]:
    text = st.text_area("One query a line", height=160, max_chars=LONGEST_TEXT, key="typed queries")
    return list(small_uploads.typed_queries(text).values()) if text.strip() else []


def _uploaded() -> list[Query]:
    file = st.file_uploader(
        "Text (a query a line, or id, tab, query), CSV (id, query) or JSONL",
        type=["txt", "tsv", "csv", "jsonl"],
        max_upload_size=small_uploads.LARGEST_MB,
        key="uploaded queries",
    )
    return [] if file is None else _told(small_uploads.read(file, small_uploads.uploaded_queries).values())


def _of_folder() -> list[Query]:
    """Return the queries that a split of a folder judges."""
    home = state.client().home
    folders = {one.name: one.splits for one in sources([], home)}
    if not folders:
        st.html(
            table.notice(
                "info", "There is no BEIR folder", f"Put one (queries.jsonl, qrels/) into {home / COLLECTIONS}."
            )
        )
        return []
    left, right = st.columns(2)
    name = left.selectbox("Folder", list(folders))
    split = right.selectbox("Split", folders[name])
    judged = {qrel.query_id for qrel in beir.read_qrels(home / COLLECTIONS / name, split)}
    queries = beir.read_queries(home / COLLECTIONS / name)
    return _told(query for query in queries.values() if query.query_id in judged)


def _told(queries: Iterable[Query]) -> list[Query]:
    found = list(queries)
    st.caption(f"{count(len(found), 'query')} to judge.")
    return found
