"""Text into HTML: the one place where anything from a document, a query or a name is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from prorank_search.snippets import any_of

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def escape(text: str) -> str:
    """Return text that is safe inside an element and inside a quoted attribute.

    Control characters become U+FFFD. Direction marks stay: whoever draws the text isolates it with `dir="auto"`.

    Example:
        >>> escape('<b title="x">&')
        '&lt;b title=&quot;x&quot;&gt;&amp;'
    """
    return html.escape(_CONTROL.sub("\ufffd", text), quote=True)


def unmarked(text: str) -> str:
    r"""Return text that Markdown shows as it stands: Streamlit's labels and captions read it, and it loads pictures.

    Example:
        >>> print(unmarked("![a_b](http:c)  d"))
        \!\[a\_b\]\(http\:c\) d
    """
    return _PUNCTUATION.sub(r"\\\g<0>", " ".join(_CONTROL.sub("\ufffd", text).split()))


def mark(text: str, words: Sequence[str]) -> str:
    """Escape a text and put `<mark>` around the words that matched, as they stand in it.

    Example:
        >>> mark("a fox & foxes", ["fox"])
        'a <mark>fox</mark> &amp; foxes'
    """
    pattern = any_of(words)
    if pattern is None:
        return escape(text)
    pieces = pattern.split(text)  # the words stand at the odd positions
    return "".join(f"<mark>{escape(piece)}</mark>" if at % 2 else escape(piece) for at, piece in enumerate(pieces))
