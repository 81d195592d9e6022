"""The `standard` preset: words in any language, lower-cased and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from prorank_search.analysis.presets import Preset, Token

_MARKS = "\u0300-\u036f"
_WORD = re.compile(rf"\w[\w{_MARKS}]*")


def words(text: str) -> Iterator[Token]:
    """Yield the words of a text: runs of letters, digits and underscores, accents composed.

    Example:
        >>> list(words("A café: 2 €"))
        [('A', 0, 1), ('café', 2, 6), ('2', 8, 9)]
    """
    if text.isascii():
        for match in _WORD.finditer(text):
            yield match.group(), match.start(), match.end()
        return
    for match in _WORD.finditer(text):
        yield unicodedata.normalize("NFKC", match.group()), match.start(), match.end()


STANDARD = Preset("standard", words)
