"""Marked fragments of a text, as the engines' `highlight` answers with. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prorank_search.query_dsl import HighlightField

SHORTEST = 18
"""Characters of a fragment at least, whatever is asked for."""

Span = tuple[int, int]

_SENTENCE = re.compile(r"[^.!?。！？\n]*(?:[.!?。！？]+[\s\"')\]]*|\n\s*|$)")


def marked_fragments(text: str, spans: Sequence[Span], how: HighlightField) -> list[str]:
    """Return the parts of a text in which most words match, in the order of the text, with the words marked.

    Args:
        text: The whole text.
        spans: Where the words stand that match, in order, none over another.
        how: Tags, size and number.

    Example:
        >>> marked_fragments("A fox runs. It rains. A fox.", [(2, 5), (24, 27)], HighlightField(fragment_size=18))
        ['A <em>fox</em> runs.', 'It rains. A <em>fox</em>.']
    """
    if not spans:
        return []
    if how.number_of_fragments == 0:
        return [_marked(text, (0, len(text)), spans, how)]
    fragments = [(part, _inside(part, spans)) for part in _parts(text, spans, max(how.fragment_size, SHORTEST))]
    fullest = sorted(range(len(fragments)), key=lambda at: -len(fragments[at][1]))[: how.number_of_fragments]
    return [_marked(text, *fragments[at], how) for at in sorted(fullest) if fragments[at][1]]


def _parts(text: str, spans: Sequence[Span], size: int) -> Iterator[Span]:
    """Yield sentences together as far as they fit; a long one is cut between words, never within a span."""
    start = end = 0
    for sentence in _SENTENCE.finditer(text):
        if sentence.end() - start > size and end > start:
            yield start, end
            start = end
        end = sentence.end()
        while end - start > size:
            cut = _cut(text, spans, start, size)
            if cut >= end:
                break
            yield start, cut
            start = cut
    if end > start:
        yield start, end


def _cut(text: str, spans: Sequence[Span], start: int, size: int) -> int:
    cut = text.rfind(" ", start + 1, start + size) + 1 or start + size
    before = bisect_left(spans, (cut, 0))
    return max(cut, spans[before - 1][1]) if before else cut


def _inside(part: Span, spans: Sequence[Span]) -> list[Span]:
    return list(spans[bisect_left(spans, (part[0], 0)) : bisect_left(spans, (part[1], 0))])


def _marked(text: str, part: Span, spans: Sequence[Span], how: HighlightField) -> str:
    pieces, at = [], part[0]
    for start, end in spans:
        pieces += [text[at:start], how.pre_tag, text[start:end], how.post_tag]
        at = end
    return "".join([*pieces, text[at : part[1]]]).strip()
