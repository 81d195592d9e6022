"""A first search profile for an index that somebody else built: from its mapping and some documents. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from prorank_search.backends.engines.mappings import IndexMapping
from prorank_search.errors import InputError
from prorank_search.stored_documents import values_at
from prorank_search.types import SourcePaths

SAMPLE = 50
"""Documents that are looked at."""

_TITLE_NAMES = ("title", "name", "headline", "heading", "subject", "summary", "label", "question")
_TEXT_NAMES = ("text", "body", "content", "description", "abstract", "passage", "answer", "message")
_LONGEST_TITLE = 200
_RARELY = 0.1


@dataclass(frozen=True, slots=True)
class Guess:
    """What an index's profile might be.

    Attributes:
        fields: Field to boost.
        source: Where id, title and text stand.
        reasons: Why, one sentence each.
    """

    fields: Mapping[str, float]
    source: SourcePaths
    reasons: tuple[str, ...]


def guess(mapping: IndexMapping, sample: Sequence[Mapping[str, Any]]) -> Guess:
    """Guess how an index is searched: the longest text is the text, a short one with a telling name the title.

    Args:
        mapping: What is known of the index.
        sample: The `_source` of some of its documents.

    Raises:
        InputError: It has no documents, or no text that can be searched.
    """
    if not sample:
        raise InputError(
            f"index {mapping.index!r} has no documents (with `_source`), so there is nothing to guess from"
        )
    length = dict(_lengths(mapping, sample))
    if not length:
        known = ", ".join(mapping.fields) or "none"
        raise InputError(f"index {mapping.index!r} has no field of type text with anything in it; its fields: {known}")
    text = max(length, key=lambda name: (_named(name, _TEXT_NAMES), length[name]))
    if length[text] < max(length.values()) / 2:
        text = max(length, key=lambda name: length[name])
    titles = [name for name in length if name != text and _named(name, _TITLE_NAMES) and length[name] <= _LONGEST_TITLE]
    title = min(titles, key=lambda name: (name.count("."), length[name]), default=None)
    reasons = [f"{text} is the text: {length[text]:,.0f} characters on average"]
    if title is not None:
        reasons.append(f"{title} is the title: its name says so, {length[title]:,.0f} characters on average")
    others = [name for name in length if name not in (text, title)]
    if others:
        reasons.append(f"not searched, add what should be: {', '.join(others)}")
    nested = [name for name in (title, text) if name is not None and mapping.fields[name].nested]
    if nested:
        reasons.append(
            f"nested, so each of a document's objects is searched alone, the best counts: {', '.join(nested)}"
        )
    fields = dict.fromkeys([name for name in (title, text) if name is not None], 1.0)
    return Guess(fields, SourcePaths(title=title, text=text), tuple(reasons))


def to_toml(index: str, guessed: Guess) -> str:
    """Return a guess as a table of prorank.toml.

    Example:
        >>> print(to_toml("shop", Guess({"body": 1.0}, SourcePaths(text="body"), ("body is the text",))))
        # body is the text
        [profiles.shop]
        fields = { "body" = 1.0 }
        source = { text = "body" }
        <BLANKLINE>
    """
    key = index if index.replace("-", "").replace("_", "").isalnum() and index.isascii() else json.dumps(index)
    fields = ", ".join(f"{json.dumps(name)} = {boost}" for name, boost in guessed.fields.items())
    paths = {"title": guessed.source.title, "text": guessed.source.text}
    source = ", ".join(f"{name} = {json.dumps(path)}" for name, path in paths.items() if path is not None)
    reasons = "".join(f"# {reason}\n" for reason in guessed.reasons)
    return f"{reasons}[profiles.{key}]\nfields = {{ {fields} }}\nsource = {{ {source} }}\n"


def _lengths(mapping: IndexMapping, sample: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Yield each text field that is often filled, with the mean length of its values in characters."""
    for name, field in mapping.fields.items():
        if field.type not in ("text", "match_only_text") or field.part_of:
            continue
        lengths = [len("\n".join(values_at(source, name))) for source in sample]
        filled = [length for length in lengths if length]
        if len(filled) > _RARELY * len(sample):
            yield name, fmean(filled)


def _named(name: str, known: Sequence[str]) -> bool:
    last = name.rpartition(".")[2].lower()
    return any(word in last for word in known)
