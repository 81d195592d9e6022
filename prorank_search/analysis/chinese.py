"""The `chinese` preset: Chinese and Japanese as character bigrams, other words whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from prorank_search.analysis.presets import Preset, Token

CJK = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(rf"(?P<cjk>[{CJK}]+)|[^\W{CJK}]+")


def bigrams(text: str) -> Iterator[Token]:
    """Yield each pair of neighbouring Chinese or Japanese characters, a lone one as it is, and other words whole.

    Example:
        >>> [term for term, _, _ in bigrams("我在北京 iPhone 猫")]
        ['我在', '在北', '北京', 'iPhone', '猫']
    """
    for match in _RUN.finditer(text):
        word, start, end = match.group(), match.start(), match.end()
        if match.lastgroup != "cjk":
            yield unicodedata.normalize("NFKC", word), start, end
        elif end - start == 1:
            yield word, start, end
        else:
            for at in range(start, end - 1):
                yield text[at : at + 2], at, at + 2


CHINESE = Preset("chinese", bigrams)
