"""The text that the model sees of a hit: from fields or a template, whole or as passages. Pure."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from prorank_search.errors import InputError
from prorank_search.model_text import TextLayout, layout_of, lines_of
from prorank_search.profiles import Profile

Missing = Literal["empty", "skip", "error"]

MOST_PATHS = 64
MOST_STEPS = 20
"""Of a path: each of them is looked for with dots in its name too, in every object on the way."""

PASSAGE_CHARACTERS = 1200
"""Of a passage at most: about the tokens that a model reads of a text."""

_HEAD_CHARACTERS = PASSAGE_CHARACTERS // 4
"""What stands above a text is shown with each of its passages, if it is no longer than that."""

_ENDS = ("\n\n", "\n", "。", "! ", "? ", ". ", " ")
"""Where a text is cut into passages, the best place first."""


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where the texts of hits come from.

    Attributes:
        layout: How the values in `_source` become one text.
        missing: What becomes of a hit that has a text at none of the paths.
        passages: Passages of each hit that are scored, from its beginning on; None: the whole text as one.
    """

    layout: TextLayout
    missing: Missing = "empty"
    passages: int | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths in `_source` that it reads."""
        return self.layout.paths

    def texts_of(self, source: Mapping[str, object]) -> tuple[str, ...]:
        """Return what is scored of a hit, one or more texts; none where it has none and `missing` is not `empty`."""
        values = self.layout.values(source)
        if self.missing != "empty" and not any(value.strip() for value in values.values()):
            return ()
        pieces = self.layout.pieces(values)
        text = "".join(pieces)
        if self.passages is None:
            return (text,)
        head = "".join(pieces[:-1]) if self.layout.lines else ""
        head = head if len(head) <= _HEAD_CHARACTERS else ""
        return tuple(head + piece for piece in passages(text[len(head) :], self.passages))


def from_fields(paths: tuple[str, ...], missing: Missing, passages: int | None) -> TextSource:
    r"""Return fields below each other.

    Example:
        >>> from_fields(("title", "text"), "empty", None).texts_of({"title": "Fox", "text": ["It runs.", "It eats."]})
        ('Fox\nIt runs.\nIt eats.',)
    """
    return TextSource(lines_of(paths), missing, passages)


def from_template(template: str, missing: Missing, passages: int | None) -> TextSource:
    """Return a template with paths in braces.

    Raises:
        InputError: It is no template.

    Example:
        >>> from_template("{title}: {a.b}", "empty", None).texts_of({"title": "Fox", "a": {"b": "red"}})
        ('Fox: red',)
    """
    advice = "write {title} or {some.path} for a field, {{ and }} for braces"
    try:
        parts = [(literal, path, spec, how) for literal, path, spec, how in string.Formatter().parse(template)]
    except ValueError as error:
        raise InputError(f"[template] is none: {error}; {advice}") from error
    if any(path is not None and (not path or spec or how) for _, path, spec, how in parts):
        raise InputError(f"[template] has braces that name no field; {advice}")
    paths = [path for _, path, _, _ in parts if path is not None]
    if not paths:
        raise InputError(f"[template] names no field; {advice}")
    if len(paths) > MOST_PATHS or any(path.count(".") >= MOST_STEPS for path in paths):
        raise InputError(f"[template] names more than {MOST_PATHS} fields, or one of more than {MOST_STEPS} steps")
    return TextSource(TextLayout(tuple((literal, path) for literal, path, _, _ in parts)), missing, passages)


def from_profile(profile: Profile, missing: Missing, passages: int | None) -> TextSource:
    """Return what a profile says: the same text that searches and evaluations show the model."""
    return TextSource(layout_of(profile.template, profile.source), missing, passages)


def passages(text: str, most: int, characters: int = PASSAGE_CHARACTERS) -> list[str]:
    """Return the first passages of a text, cut where a paragraph, a line, a sentence or a word ends.

    Example:
        >>> passages("It runs. It eats hens. It sleeps.", 2, characters=16)
        ['It runs.', 'It eats hens.']
    """
    pieces: list[str] = []
    at = 0
    while at < len(text) and len(pieces) < most:
        end = _cut(text, at, characters)
        if piece := text[at:end].strip():
            pieces.append(piece)
        at = end
    return pieces or [""]


def _cut(text: str, start: int, characters: int) -> int:
    end = start + characters
    if end >= len(text):
        return len(text)
    for mark in _ENDS:
        found = text.rfind(mark, start + characters // 4, end)
        if found != -1:
            return found + len(mark)
    return end
