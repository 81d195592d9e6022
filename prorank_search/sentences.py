"""Where the sentences of a text stand, in the scripts that this project's texts come in. Standard library only."""

from __future__ import annotations

import re

Span = tuple[int, int]
"""Start and end character."""

_SENTENCE_END = re.compile(
    r"\.(?<![A-Z]\.)(?<!\b[Dd]r\.)(?<!\b[MmSs][rts]\.)(?<!\b[Mm]rs\.)(?<!\bal\.)(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)"
    r"(?<!\b[Ff]ig\.)(?<!\b[Nn]o\.)[\"'”’)\]]*\s+(?=[^\sa-z])"
    r"|[!?؟।]+[\"'”’)\]]*\s+"
    r"|[。！？｡．‼⁇]+[」』”’）】》〉]*\s*"
    r"|\n\s*\n\s*"
)
"""A full stop does not end one behind a capital (an initial) and common abbreviations, or before a small letter."""


def sentences(text: str) -> list[Span]:
    """Return where the sentences of a text stand, with the white space behind them; without a gap.

    Example:
        >>> text = "Dr. Fox ran. 狐狸跑了。「何？」と言った。"
        >>> [text[start:end] for start, end in sentences(text)]
        ['Dr. Fox ran. ', '狐狸跑了。', '「何？」', 'と言った。']
    """
    return cut(text, (0, len(text)), _SENTENCE_END)


def cut(text: str, span: Span, border: re.Pattern[str]) -> list[Span]:
    """Cut a part of a text behind each match of a pattern; without a gap."""
    start, end = span
    cuts = [match.end() for match in border.finditer(text, start, end) if match.end() < end]
    return list(zip([start, *cuts], [*cuts, end], strict=True)) if end > start else []
