"""Queries in groups: by the script that they are written in, and by their length. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping

from prorank_search.analysis.standard import words

_SCRIPTS = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
_NO_SPACES = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_LENGTHS = {2: "1–2 words", 4: "3–4 words", 8: "5–8 words", 16: "9–16 words"}
_LONGER = "17 words and more"
_CHARACTERS_A_WORD = 2


def language(query: str) -> str:
    """Name what a query is written in: a language where its script tells it, else the script.

    Example:
        >>> language("barking dog"), language("狗叫"), language("犬が吠える"), language("лай собаки"), language("42")
        ('Latin', 'Chinese', 'Japanese', 'Cyrillic', 'no letters')
    """
    scripts = Counter(unicodedata.name(letter, "?").split(" ")[0].split("-")[0] for letter in query if letter.isalpha())
    if not scripts:
        return "no letters"
    named = {_SCRIPTS.get(script, script.capitalize()) for script in scripts}
    if "Japanese" in named:
        return "Japanese"
    (script, _), *_ = scripts.most_common(1)
    return _SCRIPTS.get(script, script.capitalize())


def length(query: str) -> str:
    """Name how long a query is; two Chinese or Japanese characters count as a word.

    Example:
        >>> length("barking dog"), length("why does a dog bark at night")
        ('1–2 words', '5–8 words')
    """
    characters = len(_NO_SPACES.findall(query))
    number = sum(1 for _ in words(_NO_SPACES.sub(" ", query))) + -(-characters // _CHARACTERS_A_WORD)
    return next((name for most, name in _LENGTHS.items() if number <= most), _LONGER)


SLICES: Mapping[str, Callable[[str], str]] = {"language": language, "length": length}
"""What queries can be parted by."""


def slices(queries: Mapping[str, str], by: str) -> dict[str, list[str]]:
    """Return the ids of the queries of each group; lengths from short to long, languages the largest group first.

    Args:
        queries: Texts by `query_id`.
        by: A key of `SLICES`.

    Example:
        >>> slices({"1": "dog", "2": "why does a dog bark", "3": "dogs"}, "length")
        {'1–2 words': ['1', '3'], '5–8 words': ['2']}
    """
    found: dict[str, list[str]] = {}
    for query_id, text in queries.items():
        found.setdefault(SLICES[by](text), []).append(query_id)
    if by == "length":
        return {name: found[name] for name in [*_LENGTHS.values(), _LONGER] if name in found}
    return dict(sorted(found.items(), key=lambda group: -len(group[1])))
