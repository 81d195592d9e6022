"""Every movement at once: a line from a document's rank on the left to its rank on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prorank_ui.compare.pairing import Pairing

if TYPE_CHECKING:
    import altair as alt

_DEEPEST = 20
"""Rank below which, on both sides, a document is left out."""

_COLOURS = {"up": "#1b9e6b", "down": "#d1571f", "same": "#8a93a6", "new": "#4a7dff", "gone": "#b0489d"}
_WORDS = {"up": "rose", "down": "fell", "same": "stayed", "new": "new at the top", "gone": "left the top"}


def slopes(pairing: Pairing, left: str, right: str) -> alt.Chart:
    """Draw the documents that both sides have, and one of them among its first 20.

    Args:
        pairing: Both sides.
        left: What the left side is called; both may be called the same.
        right: What the right side is called.
    """
    import altair as alt

    sides = [f"left: {left}", f"right: {right}"]
    rows = [
        {
            "id": placed.hit.document.doc_id,
            "document": placed.hit.document.title or placed.hit.document.doc_id,
            "side": side,
            "rank": rank,
            "movement": _WORDS[placed.change],
        }
        for placed in pairing.right
        if placed.change and placed.other_rank and min(placed.other_rank, placed.hit.rank) <= _DEEPEST
        for side, rank in zip(sides, (placed.other_rank, placed.hit.rank), strict=True)
    ]
    words = list(dict.fromkeys(_WORDS.values()))
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=alt.X("side:N", sort=sides, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("rank:Q", scale=alt.Scale(reverse=True, domainMin=1, nice=False), title="rank"),
            detail="id:N",
            color=alt.Color(
                "movement:N",
                scale=alt.Scale(domain=words, range=list(_COLOURS.values())),
                legend=alt.Legend(orient="bottom", title=None, columns=3),
            ),
            tooltip=["document:N", "side:N", "rank:Q", "movement:N"],
        )
        .properties(height=420)
    )
    return chart
