"""Where the members of a JSON object stand in its text, so that the rest of it can be passed on as it came.

A number that Python would write otherwise, the order of keys, white space: what is not ours to change stays untouched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from prorank_search.serving.json_steps import after_space, value_at


class Span(NamedTuple):
    """A value inside a JSON text.

    Attributes:
        start: Its first character.
        end: The character behind its last.
        value: What it says.
    """

    start: int
    end: int
    value: Any


class Edit(NamedTuple):
    """A part of a text that becomes another."""

    start: int
    end: int
    text: str


def members(text: str, start: int = 0) -> dict[str, Span]:
    """Return the members of the object that begins at `start`; of a key that stands there twice, the last.

    Raises:
        ValueError: There is no object.

    Example:
        >>> members('{"a": 1.50, "b": []}')
        {'a': Span(start=6, end=10, value=1.5), 'b': Span(start=17, end=19, value=[])}
    """
    return {key: span for key, span in _items(text, start, "{}") if key is not None}


def elements(text: str, start: int) -> list[Span]:
    """Return the elements of the array that begins at `start`.

    Raises:
        ValueError: There is no array.

    Example:
        >>> [text[span.start : span.end] for text in ['[1, {"a": 2}]'] for span in elements(text, 0)]
        ['1', '{"a": 2}']
    """
    return [span for _, span in _items(text, start, "[]")]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with some of its parts replaced.

    Args:
        text: The text.
        edits: What is replaced; no two overlap.

    Example:
        >>> edited("a fox eats", [Edit(6, 10, "runs"), Edit(2, 5, "hen")])
        'a hen runs'
    """
    parts, at = [], 0
    for edit in sorted(edits):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def with_members(text: str, new: dict[str, str]) -> str:
    """Return the object that a text is with members set: in place where it has them, else as its first ones.

    Args:
        text: A JSON text.
        new: Key to the JSON of its value.

    Example:
        >>> with_members('{"a": 1.50, "b": 2}', {"b": "3", "c": "null"})
        '{"c":null,"a": 1.50, "b": 3}'
    """
    old = members(text)
    first = after_space(text, 0) + 1
    edits = [Edit(old[key].start, old[key].end, value) for key, value in new.items() if key in old]
    added = [f"{json.dumps(key)}:{value}" for key, value in new.items() if key not in old]
    if added:
        edits.append(Edit(first, first, ",".join(added) + ("," if old else "")))
    return edited(text, edits)


def without_members(text: str, keys: Iterable[str]) -> str:
    """Return the object that a text is without some of its members.

    Example:
        >>> without_members('{"a": 1.50, "b": 2, "c": 3}', ["b"])
        '{"a": 1.50,"c": 3}'
    """
    gone = set(keys)
    kept = [f"{json.dumps(key)}: {text[at.start : at.end]}" for key, at in members(text).items() if key not in gone]
    return "{" + ",".join(kept) + "}"


def _items(text: str, start: int, brackets: str) -> Iterator[tuple[str | None, Span]]:
    """Yield the items of an object or an array, with their keys where they have some."""
    at = after_space(text, _expect(text, after_space(text, start), brackets[0]))
    while text[at : at + 1] != brackets[1]:
        key, at = _key(text, at) if brackets == "{}" else (None, at)
        value, end = value_at(text, at)
        yield key, Span(at, end, value)
        at = after_space(text, end)
        if text[at : at + 1] != brackets[1]:
            at = after_space(text, _expect(text, at, ","))


def _key(text: str, at: int) -> tuple[str, int]:
    """Return the key at `at`, and where its value begins."""
    key, end = value_at(text, at)
    if not isinstance(key, str):
        raise ValueError("a key is no string")  # noqa: TRY004 (as for any other text that is not JSON)
    return key, after_space(text, _expect(text, after_space(text, end), ":"))


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise ValueError(f"no {character!r} at character {at}")
    return at + 1
