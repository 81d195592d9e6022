"""The presets `chinese` and `cjk`: each Chinese or Japanese character and each pair of neighbours, other words whole.

They are the same in the embedded index. On an engine `chinese` uses a word list where there is one (smartcn), which
knows no Japanese; `cjk` never does.

Measured with the embedded index (nDCG@10, first 3,000 test queries of cmrc_sent and drcd_sent): .793 and .831;
pairs alone .772 and .810; jieba's words .771 and .783, and seven times slower. So no word list is needed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from prorank_search.analysis.presets import Preset, Token

CHARACTERS = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(rf"(?P<cjk>[{CHARACTERS}]+)|[^\W{CHARACTERS}]+")


def characters(text: str) -> Iterator[Token]:
    """Yield each Chinese or Japanese character, each pair of neighbours, and other words whole.

    Example:
        >>> [term for term, _, _ in characters("在北京 iPhone 猫")]
        ['在', '在北', '北', '北京', '京', 'iPhone', '猫']
    """
    for match in _RUN.finditer(text):
        word, start, end = match.group(), match.start(), match.end()
        if match.lastgroup != "cjk":
            yield unicodedata.normalize("NFKC", word), start, end
            continue
        for at in range(start, end - 1):
            yield text[at], at, at + 1
            yield text[at : at + 2], at, at + 2
        yield text[end - 1], end - 1, end


CHINESE = Preset("chinese", characters)
CJK = Preset("cjk", characters)
