"""JSON decoded in steps, each a few milliseconds at most, so that other threads have their turn between them.

The decoder of the standard library never lets go of the interpreter while it reads a text: in a thread of its own it
still stops all others, the event loop among them, for a second where a body of many MB has many small values. A thread
that decodes in steps does not. Shorter texts are decoded in one.
"""

from __future__ import annotations

import json
import re
from typing import Any

STEP = 1 << 16
"""Characters of a step: a few milliseconds of numbers or small objects; of long strings much less."""

_FEW = 16
"""Parts of a step that are tried first, lest each short value copies a whole one."""

_MOST_LEVELS = 16
"""Longer than a step, one in the other: each of them is read in vain once more."""

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_BRACKETS = {"{": "{}", "[": "[]"}


def loads(text: str, decoder: json.JSONDecoder = _DECODER) -> Any:  # noqa: ANN401 (JSON)
    """Return what a text says.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deeply.

    Example:
        >>> loads('{"a": [1.50, null]}')
        {'a': [1.5, None]}
    """
    value, end = value_at(text, after_space(text, 0), decoder)
    if after_space(text, end) != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def value_at(text: str, at: int, decoder: json.JSONDecoder = _DECODER, level: int = 0) -> tuple[Any, int]:
    """Return the value that begins at `at`, and the position behind it.

    Raises:
        ValueError: There is none.
        RecursionError: It is nested too deeply, or more than 16 levels are each longer than a step.
    """
    brackets = _BRACKETS.get(text[at : at + 1], "")
    if not brackets or len(text) - at <= STEP:
        return decoder.raw_decode(text, at)
    for step in (STEP // _FEW, STEP):
        try:
            value, length = decoder.raw_decode(text[at : at + step])
        except json.JSONDecodeError:  # it is longer than that, or something in it is wrong
            continue
        return value, at + length
    if level == _MOST_LEVELS:
        raise RecursionError(f"more than {_MOST_LEVELS} levels of more than {STEP} characters")
    return _items(text, at, brackets, decoder, level + 1)


def after_space(text: str, at: int) -> int:
    """Return the first character from `at` on that is no white space."""
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _items(text: str, at: int, brackets: str, decoder: json.JSONDecoder, level: int) -> tuple[Any, int]:
    """Return the array or object at `at`, which is longer than a step, and the position behind it."""
    found: Any = {} if brackets == "{}" else []
    add = found.update if brackets == "{}" else found.extend
    at = after_space(text, at + 1)
    if text[at : at + 1] == brackets[1]:
        return found, at + 1
    one_by_one_until = 0
    while True:
        several = None if at < one_by_one_until else _several(text, at, brackets, decoder)
        if several is None:
            one_by_one_until = max(one_by_one_until, at + STEP)
        items, end = several or _one(text, at, brackets, decoder, level)
        add(items)
        at = after_space(text, end)
        if text[at : at + 1] == brackets[1]:
            return found, at + 1
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = after_space(text, at + 1)


def _several(text: str, at: int, brackets: str, decoder: json.JSONDecoder) -> tuple[Any, int] | None:
    """Return the items from `at` on that end within a step, and the comma behind them.

    None: the last comma of that step lies inside an item, so they have to be read one by one. A text that is whole with
    a closing bracket in the place of a comma has that comma between two items.
    """
    comma = text.rfind(",", at, at + STEP)
    if comma == -1 or not text[at:comma].strip():
        return None
    try:
        return decoder.decode(f"{brackets[0]}{text[at:comma]}{brackets[1]}"), comma
    except json.JSONDecodeError:
        return None


def _one(text: str, at: int, brackets: str, decoder: json.JSONDecoder, level: int) -> tuple[Any, int]:
    if brackets == "[]":
        value, end = value_at(text, at, decoder, level)
        return [value], end
    if text[at : at + 1] != '"':
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    key, end = decoder.raw_decode(text, at)
    colon = after_space(text, end)
    if text[colon : colon + 1] != ":":
        raise json.JSONDecodeError("Expecting ':' delimiter", text, colon)
    value, end = value_at(text, after_space(text, colon + 1), decoder, level)
    return {key: value}, end
