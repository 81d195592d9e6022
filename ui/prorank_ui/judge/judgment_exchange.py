"""Judgments of a query set out to a file and in from one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from prorank_search.errors import ProRankError
from prorank_search.judgments import Origin, QuerySet
from prorank_search.judgments.exchange import FORMS, SUFFIXES, Form, read_judgments, written
from prorank_search.protocols import IndexInfo
from prorank_ui import state
from prorank_ui.drawing import dialogs
from prorank_ui.drawing.notices import notice
from prorank_ui.drawing.wording import count
from prorank_ui.judge import query_set_form, small_uploads
from prorank_ui.judge.judging import IMPORTED

NAMES: dict[Form, str] = {
    "trec": "qrels, TREC",
    "beir": "qrels, BEIR",
    "csv": "qrels, CSV",
    "quepid": "Quepid CSV",
    "workbench": "Search Relevance Workbench JSON",
}


@st.dialog("Import and export", width="large", on_dismiss=dialogs.close)
def open_dialog(query_set: QuerySet) -> None:
    """Open both as a dialog."""
    above = st.container()
    st.divider()
    _import(query_set)
    with above:  # last, so that it counts what has just come in
        export(query_set)


def export(query_set: QuerySet) -> None:
    """Draw the download of what persons judged, or of what models propose."""
    store = state.client().store
    proposed = st.toggle("What models propose, in place of what persons judged", key="export proposals")
    qrels = store.qrels(query_set.name, "model" if proposed else "person")
    whose = "what models propose" if proposed else "its judges' grades; no model's proposals"
    st.caption(f"{count(len(qrels), 'document')}: each with the median of {whose}.")
    if not qrels:
        return
    form = st.selectbox("Export as", FORMS, format_func=NAMES.__getitem__)
    try:
        text = written(form, store.queries(query_set.name), qrels, query_set.name)
    except ProRankError as error:
        st.html(notice("error", "This cannot be exported", str(error)))
        return
    name = re.sub(r"[^\w-]+", "-", query_set.name).strip("-") or "judgments"
    name = f"{name}-proposals" if proposed else name
    st.download_button("Download", text, file_name=f"{name}{SUFFIXES[form]}", on_click="ignore")


def import_new(indexes: Sequence[IndexInfo]) -> None:
    """Draw the import into a set that it makes: of judgments that bring their queries."""
    with st.expander("Or import judgments"):
        left, right = st.columns(2)
        name = left.text_input("Name of the set", max_chars=query_set_form.LONGEST_NAME, key="imported set").strip()
        index = right.selectbox("Index whose documents are judged", [one.name for one in indexes], key="imported index")
        if _import(QuerySet(name, index, "", 0)):
            st.session_state[query_set_form.MADE] = name
            st.rerun()


def _import(query_set: QuerySet) -> bool:
    """Draw the import into a set, which need not be there yet; tell whether judgments have just come in."""
    file = st.file_uploader(
        "Import qrels of the set's queries, Quepid CSV or Search Relevance Workbench JSON",
        type=["qrels", "txt", "tsv", "csv", "json"],
        max_upload_size=small_uploads.LARGEST_MB,
    )
    whose = f"Your own name, or one that begins with “{IMPORTED}”." if state.client().person().name else None
    judge = st.text_input("Judged by", IMPORTED, max_chars=80, help=whose).strip()
    model = st.checkbox("A model judged: keep them as proposals")
    if not st.button("Import", disabled=file is None or not judge or not query_set.name) or file is None:
        return False
    client = state.client()
    try:
        is_there = query_set.name in {one.name for one in client.store.query_sets()}
        known = client.store.queries(query_set.name) if is_there else {}
        judged = small_uploads.read(file, lambda path: read_judgments(path, known))
        origin: Origin = "model" if model else "person"
        added, new = client.take_in(judged, query_set=query_set.name, index=query_set.index, judge=judge, origin=origin)
    except ProRankError as error:
        st.html(notice("error", "Nothing was imported", str(error)))
        return False
    st.html(notice("info", f"{count(new, 'judgment')} and {count(added, 'query')} are new"))
    return True
