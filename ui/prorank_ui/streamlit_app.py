"""Navigation of the app: `prorank ui` runs this file."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from prorank_ui import address
from prorank_ui.app_pages import compare, documents, evaluate, judge, status, train

ICON = Path(__file__).with_name("icon.svg")  # an icon given by name would be fetched from another host


def main() -> None:
    """Draw the page that the address names."""
    pages = [
        st.Page(compare.page, title="Compare", url_path="compare", default=True),
        st.Page(judge.page, title=judge.TITLE, url_path="judge"),
        st.Page(evaluate.page, title="Evaluate", url_path="evaluate"),
        st.Page(train.page, title="Train", url_path="train"),
        st.Page(documents.page, title="Add documents", url_path="documents"),
        st.Page(status.page, title="Status", url_path="status"),
    ]
    page = st.navigation(pages, position="top")
    st.set_page_config(page_title=f"{page.title} · ProRank Search", page_icon=str(ICON), layout="wide")
    address.enter(page.title)
    page.run()


if __name__ == "__main__":
    main()
