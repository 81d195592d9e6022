"""What an analysis preset is: how a text becomes the terms that are indexed and searched for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Token = tuple[str, int, int]
"""A term before stemming, and where its characters stand in the text (start and end)."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to analyse texts and queries.

    A term is lower-cased, dropped if it is a stop word, and stemmed, in that order. The embedded index and the engines
    bring the same (Snowball) stemmers, so a preset only names one.

    Attributes:
        name: What `--analysis` calls it.
        tokens: Cuts a text into terms; they may overlap.
        stop_words: Lower-case terms that are neither indexed nor searched for.
        stemmer: Language of the stemmer; None: terms stay as they are.
    """

    name: str
    tokens: Callable[[str], Iterator[Token]]
    stop_words: frozenset[str] = frozenset()
    stemmer: Literal["english"] | None = None
