"""Queries that two systems answer differently, as HTML: each row opens in Compare. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from prorank_ui.choices import Side, written_side
from prorank_ui.drawing.markup import escape
from prorank_ui.evaluate.standings import Change

STYLES = Path(__file__).with_suffix(".css")


def compare_address(query: str, index: str, left: Side, right: Side) -> str:
    """Return the address of Compare with a query and two sides, from any page.

    Example:
        >>> compare_address("a dog?", "animals", Side(), Side("overlap", window="20"))
        './?q=a+dog%3F&index=animals&left=bm25&right=overlap&right_window=20'
    """
    address = {"q": query, "index": index} | written_side("left", left) | written_side("right", right)
    return f"./?{urlencode(address, errors='replace')}"


def drawn(changes: Sequence[Change], index: str, before: Side, after: Side) -> str:
    """Return the rows.

    Args:
        changes: The queries, in this order.
        index: The index that they search.
        before: The side that Compare shows left.
        after: The one that it shows right.
    """
    rows = "".join(_row(change, compare_address(change.query, index, before, after)) for change in changes)
    return f'<div class="ch-board"><ol class="ch-list">{rows}</ol></div>'


def _row(change: Change, address: str) -> str:
    signs = {"better": "▲", "worse": "▼", "equal": "="}
    return (
        f'<li class="ch-row"><a href="{escape(address)}" target="_blank" dir="auto">{escape(change.query)}</a>'
        f'<span class="ch-change ch-{change.kind}"><span aria-hidden="true">{signs[change.kind]}</span> '
        f'<span class="ch-hidden">{change.kind}</span> {abs(change.difference):.3f}</span>'
        f'<span class="ch-values">{change.before:.3f} → {change.after:.3f}</span></li>'
    )
