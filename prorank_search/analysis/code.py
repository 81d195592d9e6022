"""The `code` preset: identifiers as they stand and their parts (camelCase, snake_case, dotted), stemmed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prorank_search.analysis.english import STOP_WORDS
from prorank_search.analysis.presets import Preset, Token

_IDENTIFIER = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


def identifiers(text: str) -> Iterator[Token]:
    """Yield every identifier of a text and, where it has several parts, each part.

    Example:
        >>> [term for term, _, _ in identifiers("os.pathJoin(HTTPError, x_1)")]
        ['os', 'pathJoin', 'path', 'Join', 'HTTPError', 'HTTP', 'Error', 'x_1', 'x', '1']
    """
    for match in _IDENTIFIER.finditer(text):
        word, start, end = match.group(), match.start(), match.end()
        yield word, start, end
        if word.islower() and word.isalpha():
            continue
        parts = list(_PART.finditer(text, start, end))
        if len(parts) > 1:
            for part in parts:
                yield part.group(), part.start(), part.end()


CODE = Preset("code", identifiers, STOP_WORDS, "english")
