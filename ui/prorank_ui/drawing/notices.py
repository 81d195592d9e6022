"""What a page says of itself in a sentence, as HTML: a framed message, or what happened. Pure, every text escaped."""

from __future__ import annotations

from pathlib import Path

from prorank_ui.drawing.markup import escape

STYLES = Path(__file__).with_suffix(".css")
"""Every page draws them first: the colours of all the others are there."""


def notice(level: str, headline: str, text: str = "") -> str:
    """Return a framed message; `level` is info, warning or error.

    Example:
        >>> notice("info", "Done.")
        '<div class="pr-notice pr-info" role="status"><strong>Done.</strong></div>'
    """
    role = "alert" if level == "error" else "status"
    more = f'<div dir="auto">{escape(text)}</div>' if text else ""
    return f'<div class="pr-notice pr-{escape(level)}" role="{role}"><strong>{escape(headline)}</strong>{more}</div>'


def summary(sentence: str, facts: str) -> str:
    """Return the sentence that says what happened, with numbers beside it."""
    return f'<p class="pr-summary"><span>{escape(sentence)}</span> <small>{escape(facts)}</small></p>'
