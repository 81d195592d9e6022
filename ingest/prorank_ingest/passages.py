"""Long documents into passages: whole sentences up to a budget of tokens, the last ones repeated. Pure.

Tokens are estimated, so that neither a model nor its tokenizer is needed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any, Self

from prorank_search.errors import InputError
from prorank_search.passages import passage_of
from prorank_search.sentences import Span, cut, sentences
from prorank_search.types import Document

_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af\uff66-\uff9f"
"""Kana, Chinese characters, Hangul: nearly a token each."""
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+|[^\w\s]|_")
_LETTERS_A_TOKEN = 6

_BREAKS = (re.compile(r"\n+"), re.compile(r"[;:,、，；：]\s*"), re.compile(r"\s+"))
"""Where a sentence over the budget is cut, the best place first."""


@dataclass(frozen=True, slots=True)
class PassageSize:
    """How long passages are, in estimated tokens.

    Attributes:
        tokens: At most so many of a document's text; its title comes on top.
        overlap: At most so many of them stand in the passage before as well.

    Raises:
        InputError: The overlap leaves no room for anything new.
    """

    tokens: int = 256
    overlap: int = 32

    def __post_init__(self) -> None:
        if self.tokens < 1 or not 0 <= self.overlap <= self.tokens // 2:
            raise InputError(
                f"passages of {self.tokens} tokens with an overlap of {self.overlap}: the overlap is 0 to half of them"
            )

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Self | None:
        """Return what an index's metadata say; None: its documents are whole."""
        size = metadata.get("passages")
        return cls(tokens=size["tokens"], overlap=size["overlap"]) if size else None

    def to_metadata(self) -> dict[str, object]:
        """Return what an index keeps of it."""
        return {"passages": asdict(self)}


def passages(document: Document, size: PassageSize) -> list[Document]:
    """Return a document's passages in order, at least one: together they hold all of its text.

    Each bears the document's title and metadata.

    Example:
        >>> whole = Document("1", "It barks. It growls. It sleeps.", "Dog")
        >>> [(passage.doc_id, passage.text) for passage in passages(whole, PassageSize(tokens=6, overlap=3))]
        [('1#0', 'It barks. It growls.'), ('1#10', 'It growls. It sleeps.')]
    """
    return [passage_of(document, *span) for span in spans(document.text, size)]


def spans(text: str, size: PassageSize) -> list[Span]:
    """Return where the passages of a text stand: the first from 0, each one beginning after the one before."""
    pieces = [piece for sentence in sentences(text) for piece in _within(text, sentence, size.tokens)]
    if not pieces:
        return [(0, len(text))]
    lengths = [tokens(text[start:end]) for start, end in pieces]
    return [_trimmed(text, (pieces[first][0], pieces[last - 1][1])) for first, last in _packed(lengths, size)]


def tokens(text: str) -> int:
    """Return about how many tokens a text has.

    Example:
        >>> tokens("Foxes run."), tokens("狐狸跑了。"), tokens("pneumonoultramicroscopic")
        (3, 5, 4)
    """
    return sum((len(token) + _LETTERS_A_TOKEN - 1) // _LETTERS_A_TOKEN for token in _TOKEN.findall(text))


def _packed(lengths: Sequence[int], size: PassageSize) -> Iterator[Span]:
    """Yield which pieces make up each passage: of about the same length, rather than full ones and a scrap."""
    total = sum(lengths)
    count = max(1, -(-(total - size.overlap) // (size.tokens - size.overlap)))
    wanted = min(size.tokens, -(-(total - size.overlap) // count) + size.overlap)
    upto = [0, *accumulate(lengths)]
    first = 0
    while True:
        last = first + 1
        while last < len(lengths) and upto[last] - upto[first] < wanted and upto[last + 1] - upto[first] <= size.tokens:
            last += 1
        yield first, last
        if last == len(lengths):
            return
        begin = last
        while begin - 1 > first and upto[last] - upto[begin - 1] <= size.overlap:
            begin -= 1
        first = begin


def _within(text: str, span: Span, budget: int, level: int = 0) -> list[Span]:
    """Cut a span until each part is within the budget: at line ends, then commas, then words, then anywhere."""
    start, end = span
    if tokens(text[start:end]) <= budget:
        return [span]
    if level == len(_BREAKS):
        return [(at, min(at + budget, end)) for at in range(start, end, budget)]
    parts = _joined(text, cut(text, span, _BREAKS[level]), budget)
    return [piece for part in parts for piece in _within(text, part, budget, level + 1)]


def _joined(text: str, parts: Sequence[Span], budget: int) -> list[Span]:
    """Join neighbours that are within a quarter of the budget together, so that parts do not become single words."""
    joined = [parts[0]]
    length = tokens(text[slice(*parts[0])])
    for start, end in parts[1:]:
        added = tokens(text[start:end])
        if length + added <= budget // 4:
            joined[-1] = (joined[-1][0], end)
            length += added
        else:
            joined.append((start, end))
            length = added
    return joined


def _trimmed(text: str, span: Span) -> Span:
    start, end = span
    return start, start + len(text[start:end].rstrip())
