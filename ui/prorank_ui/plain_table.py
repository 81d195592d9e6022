"""A table of texts as HTML: pure, every cell escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prorank_ui.markup import escape

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


def terms(words: Sequence[str]) -> str:
    """Return words as a row of tags.

    Example:
        >>> terms(["<"])
        '<p class="pt-terms"><span class="pt-term" dir="auto">&lt;</span></p>'
    """
    tags = "".join(f'<span class="pt-term" dir="auto">{escape(word)}</span>' for word in words)
    return f'<p class="pt-terms">{tags}</p>'


def _cells(row: Sequence[str], sides: Sequence[str]) -> str:
    cells = zip(row, sides, strict=True)
    return "".join(f'<td{side}><div dir="auto">{escape(cell)}</div></td>' for cell, side in cells)
