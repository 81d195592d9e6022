"""Quality against cost over window sizes, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prorank_ui.evaluate.standings import Measured

if TYPE_CHECKING:
    import altair as alt

HITS, TIME = "hits rescored", "ms a query"
ESTIMATED = (
    "The time of a system's largest window was measured, on a few queries; that of smaller ones is estimated from it, "
    "by their share of the hits."
)
"""What has to be known of an axis of time."""


def points(systems: Sequence[Measured], first_stage: float | None) -> tuple[str, list[dict[str, object]]]:
    """Return what the horizontal axis is, and a point for each system and window.

    The axis is time where it was taken of every system with windows, else the hits rescored. Only the time of the
    largest window was. A system's first point is the first stage alone, where that was measured.

    Args:
        systems: The systems; those without windows are no lines.
        first_stage: Mean nDCG@10 of the first stage; None: not measured.
    """
    swept = [system for system in systems if system.sweep]
    timed = all(system.ms_a_query is not None for system in swept)
    start = {} if first_stage is None else {0: first_stage}
    rows: list[dict[str, object]] = [
        {
            "system": system.name,
            HITS: window,
            TIME: round((system.ms_a_query or 0.0) * window / max(system.sweep), 2),
            "nDCG@10": round(quality, 4),
        }
        for system in swept
        for window, quality in {**start, **system.sweep}.items()
    ]
    return TIME if timed else HITS, rows


def chart(axis: str, rows: Sequence[dict[str, object]]) -> alt.Chart:
    """Draw the points, a line for each system."""
    import altair as alt

    drawn: alt.Chart = (
        alt.Chart(alt.InlineData(values=list(rows)))
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=alt.X(f"{axis}:Q", title=f"{axis}, rescoring (smaller windows: estimated)" if axis == TIME else axis),
            y=alt.Y("nDCG@10:Q", scale=alt.Scale(zero=False), title="nDCG@10"),
            order=f"{HITS}:Q",
            color=alt.Color("system:N", legend=alt.Legend(orient="bottom", title=None, columns=1, labelLimit=400)),
            tooltip=["system:N", f"{HITS}:Q", f"{TIME}:Q", "nDCG@10:Q"],
        )
        .properties(height=420)
    )
    return drawn
