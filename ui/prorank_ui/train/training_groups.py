"""The groups that a run will learn from, to be looked at: how many of which source, and a few of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prorank_ui.drawing.markup import escape
from prorank_ui.drawing.plain_table import of_values

_COLUMNS = {
    "collection": "source",
    "groups": "groups",
    "dev_queries": "held-back queries",
    "hard_negatives": "hard negatives a group",
    "judged_negatives": "of them judged",
    "misplaced": "positives ranked below an irrelevant document",
    "missing": "judged documents that are gone",
    "taught": "scored by a teacher",
}
_ENOUGH_HELD_BACK = 5
_A_SOURCE = 2
"""Groups of each source that are shown."""

_SHOWN_NEGATIVES = 3
_SHOWN_CHARS = 240


def counts(data: Path) -> list[dict[str, Any]]:
    """Return what was made of each source; nothing where the groups are not there yet."""
    try:
        found: list[dict[str, Any]] = json.loads((data / "data.json").read_text(encoding="utf-8"))["collections"]
    except (OSError, ValueError, KeyError):
        return []
    return found


def counts_html(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the counts as a table; columns that hold nothing are left out."""
    columns = [name for name in _COLUMNS if any(row.get(name) for row in rows) or name in {"collection", "groups"}]
    cells = [[row.get(name, 0) for name in columns] for row in rows]
    return of_values("Groups", [_COLUMNS[name] for name in columns], cells)


def scarce(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """Return a headline and a reason where so few queries are held back that a run may end without a checkpoint.

    Example:
        >>> scarce([{"dev_queries": 1}])[0]
        'Only 1 query is held back'
        >>> scarce([{"dev_queries": 9}, {"dev_queries": 5}])
    """
    held_back = sum(row.get("dev_queries", 0) for row in rows)
    if held_back >= _ENOUGH_HELD_BACK:
        return None
    told = "Only 1 query is" if held_back == 1 else f"Only {held_back} queries are" if held_back else "No query is"
    return f"{told} held back", (
        "A checkpoint is calibrated on their documents, and is not made without some that are relevant and some that "
        "are not. Judge more queries first."
    )


def heading_html(title: str) -> str:
    """Return the heading of the groups of a run.

    Example:
        >>> heading_html("A & B")
        '<div class="pr-side"><header><h2 dir="auto">Groups: A &amp; B</h2></header></div>'
    """
    return f'<div class="pr-side"><header><h2 dir="auto">Groups: {escape(title)}</h2></header></div>'


def few(data: Path) -> list[dict[str, Any]]:
    """Return the first groups of each source, as they lie in the run's folder."""
    import pyarrow.parquet as pq

    columns = ["collection", "query", "positive", "hard_negatives"]
    found = pq.read_table(data / "groups.parquet", columns=columns)
    seen: dict[str, int] = {}
    chosen = []
    for at, source in enumerate(found.column("collection").to_pylist()):
        seen[source] = seen.get(source, 0) + 1
        if seen[source] <= _A_SOURCE:
            chosen.append(at)
    rows: list[dict[str, Any]] = found.take(chosen).to_pylist()
    return rows


def group_html(group: Mapping[str, Any]) -> str:
    """Return a group: the query, the document to be learned as relevant, and some that are not."""
    wrong = [_text("✗", "down", text) for text in group["hard_negatives"][:_SHOWN_NEGATIVES]]
    left = len(group["hard_negatives"]) - len(wrong)
    more = f'<div class="pr-note">and {left} more</div>' if left > 0 else ""
    query, source = escape(group["query"]), escape(group["collection"])
    head = f'<strong dir="auto">{query}</strong> <span class="pr-note">{source}</span>'
    return f'<div class="pr-notice">{head}{_text("✓", "up", group["positive"])}{"".join(wrong)}{more}</div>'


def _text(sign: str, kind: str, text: str) -> str:
    cut = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS].rstrip() + " …"
    name = "relevant" if kind == "up" else "not relevant"
    return f'<div dir="auto"><span class="pr-move pr-{kind}" title="{name}">{sign}</span> {escape(cut)}</div>'
