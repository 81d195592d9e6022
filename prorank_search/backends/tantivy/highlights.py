"""The words of a document that match a query, as they stand in its text."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import lru_cache

from prorank_search.backends.tantivy.fields import Analysis
from prorank_search.types import Document

_REMEMBERED_TERMS = 50_000


class Highlighter:
    """Finds matching words; remembers the stems of the words it has seen."""

    def __init__(self, analysis: Analysis) -> None:
        """Find words by the same analysis that the index uses."""
        self._tokens = analysis.preset.tokens
        self._stems = lru_cache(_REMEMBERED_TERMS)(analysis.analyzer.analyze)

    def words(self, document: Document, wanted: AbstractSet[str]) -> tuple[str, ...]:
        """Return the distinct words of title and text whose terms are `wanted`, in order of appearance."""
        found = (text[start:end] for text in (document.title, document.text) for start, end in self.spans(text, wanted))
        return tuple(dict.fromkeys(found))

    def spans(self, text: str, wanted: AbstractSet[str]) -> list[tuple[int, int]]:
        """Return where words stand whose terms are `wanted`, in order; those that touch or overlap are one."""
        wanted = _telling(wanted)
        if not wanted:
            return []
        spans = sorted(
            (start, end) for term, start, end in self._tokens(text) if not wanted.isdisjoint(self._stems(term))
        )
        merged: list[tuple[int, int]] = []
        for start, end in spans:
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged


def _telling(terms: AbstractSet[str]) -> AbstractSet[str]:
    """Leave out single characters that also stand in a pair: they would mark every text in Chinese."""
    paired = {character for term in terms if len(term) == 2 for character in term}  # noqa: PLR2004 (a pair is two)
    return terms - paired
