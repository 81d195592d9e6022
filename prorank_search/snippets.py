"""What to show of a document: the part in which the matched words stand closest together. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_LETTER, _LETTER_OR_DIGIT = r"[^\W\d_]", r"[^\W_]"
_NO_CAPITAL = r"[^\W\d_A-Z]"
"""A letter other than A to Z."""

_FIRST_UNSPACED_SCRIPT = "\u2e80"
"""From here on (Chinese, Japanese) words stand side by side, so a match needs no word boundary."""


def one_line(text: str) -> str:
    r"""Return a text on one line, without characters that would command a terminal: those become U+FFFD.

    Example:
        >>> one_line("two\n  lines\x1b[2J")
        'two lines�[2J'
    """
    return _CONTROL.sub("\ufffd", _SPACES.sub(" ", text).strip())


def snippet(text: str, words: Sequence[str], length: int = 260) -> str:
    """Return the part of a text in which the words stand closest together.

    Args:
        text: A document's text.
        words: The words that matched, as they stand in the text.
        length: Characters wanted at most, apart from an ellipsis on either side.

    Example:
        >>> snippet("one two three four five six", ["four"], length=14)
        '… three four five …'
    """
    flat = one_line(text)
    if len(flat) <= length:
        return flat
    pattern = any_of(words)
    matches = [match.start() for match in pattern.finditer(flat)] if pattern else []
    wanted = _densest(matches, length) - length // 4 if matches else 0
    start = max(0, min(wanted, len(flat) - length))
    end = start + length
    start = flat.rfind(" ", max(0, start - 20), start) + 1 or start
    end = end if end >= len(flat) else max(flat.rfind(" ", end - 20, end), 0) or end
    return f"{'… ' if start else ''}{flat[start:end].strip()}{' …' if end < len(flat) else ''}"


def any_of(words: Sequence[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds the words, the longest first, in one group; None where there are none.

    A word ends at what is no letter, and inside a camelCase name.

    Example:
        >>> any_of(["fox"]).split("a fox, no foxes")
        ['a ', 'fox', ', no foxes']
        >>> any_of(["csv", "row"]).findall("csvReader.move_row, but no arrows")
        ['csv', 'row']
    """
    longest_first = sorted({word for word in words if word.strip()}, key=lambda word: (-len(word), word))
    if not longest_first:
        return None
    return re.compile("(" + "|".join(_bounded(word) for word in longest_first) + ")")


def _densest(matches: Sequence[int], length: int) -> int:
    """Return the first of the places, which ascend, that most of them follow closely."""
    room = length * 3 // 4
    densest, most, end = matches[0], 0, 0
    for first, start in enumerate(matches):
        while end < len(matches) and matches[end] < start + room:
            end += 1
        if end - first > most:
            densest, most = start, end - first
    return densest


def _bounded(word: str) -> str:
    if word[0] >= _FIRST_UNSPACED_SCRIPT:
        return re.escape(word)
    return f"{_start(word)}{re.escape(word)}{_end(word)}"


def _start(word: str) -> str:
    """Return what may not stand before a word; a capital with a small letter behind it begins one anywhere."""
    if word[0].isdigit():
        return rf"(?<!{_LETTER_OR_DIGIT})"
    if not word[0].isupper():
        return rf"(?<!{_LETTER})"
    return "" if word[1:2].islower() else "(?<![A-Z])"


def _end(word: str) -> str:
    """Return what may not stand behind a word; a capital may, where it begins the next word."""
    if word[-1].isdigit():
        return rf"(?!{_LETTER_OR_DIGIT})"
    if word[-1].isupper():
        return rf"(?!{_NO_CAPITAL}|[A-Z](?![a-z]))"
    return rf"(?!{_NO_CAPITAL})"
