"""A table of texts as HTML: pure, every cell escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prorank_ui.drawing.markup import escape

STYLES = Path(__file__).with_suffix(".css")


def drawn(name: str, headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> str:
    """Return a table that scrolls sideways where it is too wide.

    Args:
        name: What it is called, for those who do not see it.
        headings: One a column.
        rows: Their cells.
        numbers: Headings of the columns that hold numbers.

    Example:
        >>> drawn("Dogs", ["name"], [["<b>"]]).partition("<tbody>")[2]
        '<tr><td><div dir="auto">&lt;b&gt;</div></td></tr></tbody></table></div>'
    """
    sides = [' class="pt-number"' if heading in numbers else "" for heading in headings]
    head = "".join(f'<th scope="col"{side}>{escape(text)}</th>' for text, side in zip(headings, sides, strict=True))
    body = "".join(f"<tr>{_cells(row, sides)}</tr>" for row in rows)
    return (
        f'<div class="pt-scroll" role="region" aria-label="{escape(name)}" tabindex="0">'
        f'<table class="pt-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def of_values(name: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table of texts and numbers; numbers are shortened to what can be read.

    Example:
        >>> "&lt;b&gt;</div>" in of_values("Dogs", ["who"], [["<b>"]])
        True
        >>> of_values("Dogs", ["weight"], [[0.51234]]).partition("<tbody>")[2]
        '<tr><td class="pt-number">0.512</td></tr></tbody></table></div>'
    """
    columns = dict(zip(headings, zip(*rows, strict=True), strict=True)) if rows else {}
    numbers = [heading for heading, cells in columns.items() if all(isinstance(cell, int | float) for cell in cells)]
    return drawn(name, headings, [[_shortened(cell) for cell in row] for row in rows], numbers)


def terms(words: Sequence[str]) -> str:
    """Return words as a row of tags.

    Example:
        >>> terms(["<"])
        '<p class="pt-terms"><span class="pt-term" dir="auto">&lt;</span></p>'
    """
    tags = "".join(f'<span class="pt-term" dir="auto">{escape(word)}</span>' for word in words)
    return f'<p class="pt-terms">{tags}</p>'


def _cells(row: Sequence[str], sides: Sequence[str]) -> str:
    return "".join(_cell(cell, side) for cell, side in zip(row, sides, strict=True))


def _cell(text: str, side: str) -> str:
    """Return a cell; a text, but no number, brings its own direction."""
    return f"<td{side}>{escape(text)}</td>" if side else f'<td><div dir="auto">{escape(text)}</div></td>'


def _shortened(value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
