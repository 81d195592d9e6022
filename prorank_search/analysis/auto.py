"""The `auto` preset: looks at a sample of texts and names the preset that fits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prorank_search.analysis.chinese import CHARACTERS
from prorank_search.analysis.english import STOP_WORDS
from prorank_search.analysis.standard import words

_CJK = re.compile(f"[{CHARACTERS}]")
_KANA = re.compile("[\u3041-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")
_CODE_LINE = re.compile(
    r"^\s*(def|class|import|from|return|func|function|public|private|static|const|var|let|#include|package)\b.*[\w(){:;]$"
    r"|[;{}]\s*$|\w\(.*\)\s*[:;{]?\s*$|^\s*[\w.\[\]]+\s*[-+*/|]?=\s*\S",
    re.MULTILINE,
)
_CJK_SHARE = 0.2
_KANA_SHARE = 0.05
_CODE_SHARE = 0.25
_STOP_WORD_SHARE = 0.15


def choose(sample: Iterable[str]) -> str:
    r"""Name the preset that fits a sample of a corpus.

    Many Chinese characters: `chinese`; kana among them, so Japanese: `cjk`. Many lines that look like source code:
    `code`. As many small words as English has: `english`. Anything else: `standard`.

    Args:
        sample: Some texts of the corpus; a few dozen are enough.

    Example:
        >>> choose(["The cat sat on the mat and it was happy."])
        'english'
        >>> choose(["def add(a, b):\n    return a + b"])
        'code'
    """
    text = "\n".join(sample)
    letters = len(_LETTER.findall(text))
    characters = len(_CJK.findall(text))
    if characters > _CJK_SHARE * max(letters, 1):
        return "cjk" if len(_KANA.findall(text)) > _KANA_SHARE * characters else "chinese"
    lines = [line for line in text.splitlines() if line.strip()]
    if sum(bool(_CODE_LINE.search(line)) for line in lines) > _CODE_SHARE * max(len(lines), 1):
        return "code"
    found = [word.lower() for word, _, _ in words(text)]
    if sum(word in STOP_WORDS for word in found) > _STOP_WORD_SHARE * max(len(found), 1):
        return "english"
    return "standard"
