"""What a page says where there is nothing to work on yet, with the way to the page that brings it."""

from __future__ import annotations

import streamlit as st

from prorank_ui import state
from prorank_ui.app_pages import documents
from prorank_ui.drawing.notices import notice


def no_index() -> None:
    """Say that there are no documents, and how they come in: here, or by command."""
    service = state.client().service
    if service:
        told = f"Put documents into one on the machine of the service at {service}, then reload this page:"
        st.html(notice("info", "The service has no index yet", told))
        st.code("prorank ingest FOLDER_OR_FILE --index NAME", language="shell")
        return
    st.html(notice("info", "There is no index yet", "An index holds the documents that are searched."))
    if st.button("Add documents", type="primary"):
        st.switch_page(st.Page(documents.page, url_path="documents"))
    st.caption("Or by command, then reload this page; Python's own documentation is at hand on every machine:")
    st.code("prorank ingest FOLDER_OR_FILE --index NAME\nprorank ingest python-topics --index python", language=None)
