"""Analysis presets: how texts and queries become terms. One file a preset; this one names them."""

from __future__ import annotations

from prorank_search.analysis.auto import choose
from prorank_search.analysis.chinese import CHINESE, CJK
from prorank_search.analysis.code import CODE
from prorank_search.analysis.english import ENGLISH
from prorank_search.analysis.presets import Preset, Token
from prorank_search.analysis.standard import STANDARD
from prorank_search.errors import ConfigError

__all__ = ["PRESETS", "Preset", "Token", "choose", "preset"]

PRESETS = {each.name: each for each in (ENGLISH, STANDARD, CODE, CHINESE, CJK)}


def preset(name: str) -> Preset:
    """Return the preset of that name.

    Raises:
        ConfigError: There is none; `auto` is not one, `choose` turns a sample of texts into a name.

    Example:
        >>> preset("english").stemmer
        'english'
    """
    if name not in PRESETS:
        message = f"no analysis preset {name!r}; there are: {', '.join(PRESETS)}"
        raise ConfigError(message)
    return PRESETS[name]
