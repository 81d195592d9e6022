"""The `code` preset: identifiers as they stand and their parts (camelCase, snake_case, dotted), stemmed.

Measured with the embedded index (nDCG@10 on cosqa and pydoc): .387 and .351; without stemming .363 and .345, without
dotted names .385 and .348, with the `english` preset .336 and .234.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prorank_search.analysis.english import STOP_WORDS
from prorank_search.analysis.presets import Preset, Token

_DOTTED = re.compile(r"\w+(?:\.\w+)*")
_IDENTIFIER = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


def identifiers(text: str) -> Iterator[Token]:
    """Yield every name of a text, then what it is made of: dotted names, identifiers, their parts.

    Example:
        >>> [term for term, _, _ in identifiers("os.pathJoin(HTTPError, x_1)")]
        ['os.pathJoin', 'os', 'pathJoin', 'path', 'Join', 'HTTPError', 'HTTP', 'Error', 'x_1', 'x', '1']
    """
    for match in _DOTTED.finditer(text):
        name, start, end = match.group(), match.start(), match.end()
        yield name, start, end
        if name.isalpha() and name.islower():
            continue
        identifiers_of_name = list(_IDENTIFIER.finditer(text, start, end))
        for identifier in identifiers_of_name:
            if len(identifiers_of_name) > 1:
                yield identifier.group(), identifier.start(), identifier.end()
            yield from _parts(text, identifier.start(), identifier.end())


def _parts(text: str, start: int, end: int) -> Iterator[Token]:
    parts = list(_PART.finditer(text, start, end))
    if len(parts) > 1:
        for part in parts:
            yield part.group(), part.start(), part.end()


CODE = Preset("code", identifiers, STOP_WORDS, "english")
