"""The curves of training runs, several runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prorank_ui.train.training_runs import Row

if TYPE_CHECKING:
    import altair as alt

_FEW = 40
"""Points that are few enough to be marked."""

_A_RUN_PX, _DASHES_PX = 24, 48
"""What a run takes of a chart's height, its line of the legend, and what the legend of the dashes does."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart.

    Attributes:
        title: What stands above it.
        stage: Whose measurements.
        measures: What is drawn, as the metrics call it, and as the legend does.
    """

    title: str
    stage: str
    measures: Mapping[str, str]


PICTURES = (
    Picture("Stage 1: rewards", "warmup", {"format_reward": "format", "correctness_reward": "correctness"}),
    Picture(
        "Stage 1: shares",
        "warmup",
        {"mass": 'P("0") + P("1")', "zero_variance": "groups without variance"},
    ),
    Picture("Stage 1: loss", "warmup", {"loss": "loss"}),
    Picture("Stage 1: learning rate", "warmup", {"learning_rate": "learning rate"}),
    Picture(
        "Stage 2: nDCG@10 on held-back queries",
        "score",
        {"dev model": "model", "dev blend": "blend 1:1", "dev bm25": "BM25"},
    ),
    Picture("Stage 2: loss", "score", {"loss": "loss"}),
    Picture("Stage 2: groups with the positive first", "score", {"positive_first": "share"}),
    Picture("Stage 2: learning rate", "score", {"learning_rate": "learning rate"}),
)


def pictures_of(rows: Sequence[Row]) -> list[tuple[Picture, list[Row]]]:
    """Return the charts that there is something to draw in, with what."""
    found = [
        (picture, [row for row in rows if row["stage"] == picture.stage and row["measure"] in picture.measures])
        for picture in PICTURES
    ]
    return [(picture, own) for picture, own in found if own]


def chart(picture: Picture, rows: Sequence[Row]) -> alt.LayerChart | alt.FacetChart:
    """Draw a chart: a colour a run, a dash a measure; points where they are few."""
    import altair as alt

    values = [{**row, "measure": picture.measures[str(row["measure"])]} for row in rows]
    runs = list(dict.fromkeys(str(row["run"]) for row in rows))
    several = alt.Legend(orient="bottom", title=None, columns=1, labelLimit=360) if len(runs) > 1 else None
    drawn = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=_axis_format(picture))),
        color=alt.Color("run:N", sort=runs, scale=alt.Scale(scheme="tableau10"), legend=several),
        detail="measure:N",
        tooltip=["run:N", "measure:N", "step:Q", alt.Tooltip("value:Q", format=".4~g")],
    )
    lines = drawn.mark_line(strokeWidth=2)
    height = 200 + _A_RUN_PX * len(runs)
    if len(picture.measures) > 1:
        height += _DASHES_PX
        legend = alt.Legend(orient="top", title=None)  # beside that of the runs it would be cut off in a narrow window
        lines = lines.encode(
            strokeDash=alt.StrokeDash("measure:N", sort=list(picture.measures.values()), legend=legend)
        )
    points = drawn.mark_point(filled=True, size=24 if len(values) < _FEW else 0)
    return alt.layer(lines, points).properties(height=height)


def _axis_format(picture: Picture) -> str:
    """Return how the numbers beside a chart are written: learning rates are small."""
    return "~e" if "learning_rate" in picture.measures else "~g"
