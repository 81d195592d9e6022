"""The text that a model sees of a document: values below each other, or a template. Pure."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from prorank_search.stored_documents import values_at
from prorank_search.types import SourcePaths

OURS = SourcePaths(title="title")
"""Where an index of ours keeps title and text; what stands beside them there is in `metadata`."""

METADATA = re.compile(r"metadata\[([^\[\]{}]+)\]")
"""A metadata value in a template."""


@dataclass(frozen=True, slots=True)
class TextLayout:
    """How values of a stored document become one text. A list's values are lines, and what is no text is JSON.

    Attributes:
        parts: Literal text and the path of the value behind it, part by part; None: there is no value.
        lines: Whether a value before the last takes its line along where it is empty.
    """

    parts: tuple[tuple[str, str | None], ...]
    lines: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that it reads."""
        return tuple(dict.fromkeys(path for _, path in self.parts if path is not None))

    def values(self, stored: Mapping[str, object]) -> dict[str, str]:
        """Return what stands at each path; an empty string where nothing does."""
        return {path: "\n".join(values_at(stored, path)) for path in self.paths}

    def text(self, stored: Mapping[str, object]) -> str:
        r"""Return the text.

        Example:
            >>> lines_of(("title", "text")).text({"title": "Fox", "text": ["It runs.", "It eats."]})
            'Fox\nIt runs.\nIt eats.'
        """
        return "".join(self.pieces(self.values(stored)))

    def pieces(self, values: Mapping[str, str]) -> list[str]:
        """Return the text part by part, of what `values` returned."""
        if self.lines:
            *before, last = (values[path] for _, path in self.parts if path is not None)
            return [*(f"{value}\n" for value in before if value), last]
        return [literal + ("" if path is None else values[path]) for literal, path in self.parts]


def lines_of(paths: tuple[str, ...]) -> TextLayout:
    """Return values below each other."""
    return TextLayout(tuple(("", path) for path in paths), lines=True)


@lru_cache(maxsize=256)
def layout_of(template: str | None, source: SourcePaths | None) -> TextLayout:
    """Return how a profile's documents become texts.

    Args:
        template: With `{title}`, `{text}` and `{metadata[key]}`; None: the title, where there is one, above the text.
        source: Where they stand in an index of somebody else; None: it is one of ours.
    """
    paths = source or OURS
    if template is None:
        return lines_of(tuple(path for path in (paths.title, paths.text) if path))
    inside = "" if source else "metadata."
    at = {"title": paths.title, "text": paths.text}
    parts = []
    for literal, name, _, _ in string.Formatter().parse(template):
        key = METADATA.fullmatch(name or "")
        parts.append((literal, f"{inside}{key.group(1)}" if key else at.get(name or "")))
    return TextLayout(tuple(parts))
