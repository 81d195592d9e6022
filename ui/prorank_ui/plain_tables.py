"""Small tables and headings as HTML, in which every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence

from prorank_ui.markup import escape

_WHOLE = ' style="overflow-wrap:normal"'
"""What keeps numbers and single words in one piece where a window is narrow."""


def heading(text: str) -> str:
    """Return a heading below the page's title.

    Example:
        >>> heading("A & B")
        '<div class="pr-side"><header><h2 dir="auto">A &amp; B</h2></header></div>'
    """
    return f'<div class="pr-side"><header><h2 dir="auto">{escape(text)}</h2></header></div>'


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a framed table; numbers are shortened to what can be read.

    Example:
        >>> "&lt;b&gt;</td>" in table(["who"], [["<b>"]]), ">0.512</td>" in table(["who"], [[0.51234]])
        (True, True)
    """
    head = "".join(f'<th scope="col"{_WHOLE}>{escape(column)}</th>' for column in columns)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    inner = f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody>"
    return f'<div class="pr-notice" style="overflow-x:auto"><table class="pr-metadata">{inner}</table></div>'


def _cell(value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"<td{_WHOLE}>{value:.3g}</td>"
    if isinstance(value, int | float):
        return f"<td{_WHOLE}>{value:,.0f}</td>"
    return f'<td dir="auto">{escape(str(value))}</td>'
