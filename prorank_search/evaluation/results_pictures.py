"""A suite's results as pictures: quality against window, and bars by collection."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from prorank_search.evaluation.measures import NDCG, mean
from prorank_search.evaluation.results_section import sweep_of
from prorank_search.evaluation.suite import SuiteResult
from prorank_search.evaluation.suite_summary import groups

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 120


def draw(result: SuiteResult, page: Path) -> dict[str, str]:
    """Draw a suite's pictures into the folder `images` beside its page.

    Returns:
        What a picture shows to where it lies, relative to the page.
    """
    folder = page.parent / "images"
    folder.mkdir(exist_ok=True)
    pictures = {f"{NDCG} by collection": ("collections", bars(result))}
    if any(one.sweep for one in result.results):
        pictures[f"{NDCG} by window"] = ("windows", lines(result))
    places = {}
    for shown, (kind, figure) in pictures.items():
        name = f"{page.stem}-{result.suite.name}-{kind}.png"
        figure.savefig(folder / name, dpi=_DPI)
        places[shown] = f"images/{name}"
    return places


def bars(result: SuiteResult) -> Figure:
    """Return each system's nDCG@10 on each collection as bars side by side."""
    from matplotlib.figure import Figure

    names = [collection.name for collection in result.suite.collections]
    width = 0.8 / len(result.suite.systems)
    figure = Figure(figsize=(max(8.0, 2.0 + 1.1 * len(names)), 4.5), layout="constrained")
    axes = figure.subplots()
    for number, system in enumerate(result.suite.systems):
        places = [place + (number + 0.5) * width - 0.4 for place in range(len(names))]
        axes.bar(places, [mean(one.values)[NDCG] for one in result.of(system.name)], width, label=system.name)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_ylabel(NDCG)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def lines(result: SuiteResult) -> Figure:
    """Return each system's mean nDCG@10 against the window, a panel for each language and one for all."""
    from matplotlib.figure import Figure

    panels = {group: names for group, names in groups(result).items() if names}
    figure = Figure(figsize=(3.2 * max(2, len(panels)), 4.5), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (group, names) in zip(grid, panels.items(), strict=True):
        for system in result.suite.systems:
            points = sweep_of(result, names, system)
            if points:
                axes.plot(list(points), list(points.values()), marker=".", label=system.name)
        first = fmean(mean(result.on(name)[0].evaluation.first_stage)[NDCG] for name in names)
        axes.axhline(first, color="grey", linestyle="dashed", label="first stage")
        axes.set_title(group)
        axes.set_xlabel("window_size")
    grid[0].set_ylabel(NDCG)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
