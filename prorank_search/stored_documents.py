"""How an index keeps a document, whichever engine: its id, its source, and the facts that filters compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from prorank_search.errors import InputError
from prorank_search.types import Document

MAX_ID_BYTES = 512
MAX_FACT_BYTES = 256
"""Longer metadata values are stored but not filtered by, as the engines' own default has it."""


def check_id(doc_id: str) -> None:
    """Raise InputError where a text cannot be a document's id."""
    size = len(doc_id.encode(errors="surrogatepass"))
    if not 0 < size <= MAX_ID_BYTES:
        message = f"the id {doc_id[:80]!r} has {size} bytes: give it 1 to {MAX_ID_BYTES}"
        raise InputError(message)


def to_source(document: Document) -> dict[str, object]:
    """Return what is stored of a document: what it has, by the attributes' names.

    Example:
        >>> to_source(Document("1", "It barks.", title="Dog"))
        {'doc_id': '1', 'text': 'It barks.', 'title': 'Dog'}
    """
    source: dict[str, object] = {"doc_id": document.doc_id, "text": document.text}
    if document.title:
        source["title"] = document.title
    if document.metadata:
        source["metadata"] = dict(document.metadata)
    if document.parent_id is not None:
        source["parent_id"] = document.parent_id
    if document.passage_offsets is not None:
        source["passage_offsets"] = document.passage_offsets
    return source


def from_source(source: Mapping[str, Any]) -> Document:
    """Return the document that `to_source` was given.

    Example:
        >>> from_source({"doc_id": "1", "text": "It barks."})
        Document(doc_id='1', text='It barks.', title='', metadata={}, parent_id=None, passage_offsets=None)
    """
    offsets = source.get("passage_offsets")
    return Document(
        doc_id=source["doc_id"],
        text=source["text"],
        title=source.get("title", ""),
        metadata=source.get("metadata", {}),
        parent_id=source.get("parent_id"),
        passage_offsets=(offsets[0], offsets[1]) if offsets else None,
    )


def facts(metadata: Mapping[str, object]) -> Iterator[str]:
    """Yield what a document can be filtered by: `key=value`, a list's values apart, nested keys with dots.

    Example:
        >>> list(facts({"year": 2020, "tags": ["a", "b"], "author": {"name": "Eve"}}))
        ['year=2020', 'tags=a', 'tags=b', 'author.name=Eve']
    """
    return (fact for _, of_key in _by_key(metadata) for fact in of_key if len(fact.encode()) <= MAX_FACT_BYTES)


def wanted_facts(filter: Mapping[str, object]) -> Iterator[list[str]]:
    """Yield for each key of a filter the facts of which a document must have one.

    A key inside another is `outer.inner`, or a table in a table, as TOML reads it.

    Raises:
        InputError: A value is too long to be indexed.

    Example:
        >>> list(wanted_facts({"kind": ["bird", "mammal"], "year": 2021}))
        [['kind=bird', 'kind=mammal'], ['year=2021']]
    """
    for key, of_key in _by_key(filter):
        if any(len(fact.encode()) > MAX_FACT_BYTES for fact in of_key):
            message = f"filter {key!r} has a value over {MAX_FACT_BYTES} bytes: such values are not indexed"
            raise InputError(message)
        yield of_key


def values_at(source: object, path: str) -> Iterator[str]:
    """Yield the values at a path, whether its dots stand for objects or in a key's name; of lists, each.

    Example:
        >>> list(values_at({"a": [{"b": "x"}, {"b": 2}], "a.b": "z"}, "a.b"))
        ['z', 'x', '2']
    """
    if isinstance(source, list | tuple):
        for each in source:
            yield from values_at(each, path)
    elif not path:
        if source is not None:
            yield source if isinstance(source, str) else json.dumps(source, ensure_ascii=False, default=str)
    elif isinstance(source, Mapping):
        steps = path.split(".")
        for length in range(len(steps), 0, -1):
            key = ".".join(steps[:length])
            if key in source:
                yield from values_at(source[key], ".".join(steps[length:]))


def plain(value: object) -> str:
    """Return a metadata value as the text that filters compare: a string itself, anything else its JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _by_key(metadata: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for key, value in metadata.items():
        if isinstance(value, Mapping):
            yield from _by_key(value, f"{prefix}{key}.")
        else:
            values = value if isinstance(value, list | tuple) else [value]
            yield f"{prefix}{key}", [f"{prefix}{key}={plain(each)}" for each in values]
