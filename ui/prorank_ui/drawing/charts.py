"""Charts on a page.

pandas is imported with this module, not with the first chart: altair asks a pandas that is there for its types, though
another thread may be in the midst of importing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas  # noqa: F401, ICN001
import streamlit as st

if TYPE_CHECKING:
    import altair as alt


def draw(chart: alt.Chart | alt.LayerChart | alt.FacetChart, key: str | None = None) -> None:
    """Draw a chart over the whole width."""
    st.altair_chart(chart, width="stretch", key=key)
