"""The text that the model sees of a hit: from fields or a template, whole or as passages. Pure."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from prorank_search.backends.engines.hits import values_at
from prorank_search.errors import InputError
from prorank_search.profiles import Profile
from prorank_search.types import SourcePaths

Missing = Literal["empty", "skip", "error"]

PASSAGE_CHARACTERS = 1200
"""Of a passage at most: about the tokens that a model reads of a text."""

_METADATA = re.compile(r"metadata\[([^\[\]{}]+)\]")
_ENDS = ("\n\n", "\n", "。", "! ", "? ", ". ", " ")
"""Where a text is cut into passages, the best place first."""


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where the texts of hits come from.

    Attributes:
        template: Literal text and the path in `_source` behind it, part by part.
        lines: Whether an empty part takes its literal text along, as for fields that stand below each other.
        missing: What becomes of a hit that has a text at none of the paths.
        passages: Passages of each hit that are scored, from its beginning on; None: the whole text as one.
    """

    template: tuple[tuple[str, str | None], ...]
    lines: bool = False
    missing: Missing = "empty"
    passages: int | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths in `_source` that it reads."""
        return tuple(dict.fromkeys(path for _, path in self.template if path is not None))

    def texts_of(self, source: Mapping[str, object]) -> tuple[str, ...]:
        """Return what is scored of a hit, one or more texts; none where it has none and `missing` is not `empty`."""
        values = {path: "\n".join(values_at(source, path)) for path in self.paths}
        if not any(value.strip() for value in values.values()):
            return ("",) if self.missing == "empty" else ()
        parts = [
            (literal, "" if path is None else values[path])
            for literal, path in self.template
            if not (self.lines and path is not None and not values[path])
        ]
        text = "".join(literal + value for literal, value in parts)
        text = text.removeprefix("\n") if self.lines else text
        if self.passages is None:
            return (text,)
        head = text[: len(text) - len(parts[-1][1])] if self.lines else ""
        pieces = passages(text[len(head) :], self.passages)
        return tuple(head + piece for piece in pieces)


def from_fields(paths: tuple[str, ...], missing: Missing, passages: int | None) -> TextSource:
    r"""Return fields below each other.

    Example:
        >>> from_fields(("title", "text"), "empty", None).texts_of({"title": "Fox", "text": ["It runs.", "It eats."]})
        ('Fox\nIt runs.\nIt eats.',)
    """
    return TextSource(tuple(("\n", path) for path in paths), lines=True, missing=missing, passages=passages)


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
    if all(path is None for _, path, _, _ in parts):
        raise InputError(f"[template] names no field; {advice}")
    return TextSource(tuple((literal, path) for literal, path, _, _ in parts), missing=missing, passages=passages)


def from_profile(profile: Profile, missing: Missing, passages: int | None) -> TextSource:
    """Return what a profile says: its template, or its title above its text."""
    paths = profile.source or SourcePaths(title="title")
    if profile.template is None:
        return from_fields(tuple(path for path in (paths.title, paths.text) if path), missing, passages)
    inside = "" if profile.source else "metadata."
    parts = []
    for literal, name, _, _ in string.Formatter().parse(profile.template):
        key = _METADATA.fullmatch(name or "")
        parts.append((literal, f"{inside}{key.group(1)}" if key else _field(name, paths)))
    return TextSource(tuple(parts), missing=missing, passages=passages)


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


def _field(name: str | None, paths: SourcePaths) -> str | None:
    return {"title": paths.title or "title", "text": paths.text}.get(name) if name else None
