"""An engine's answer as hits and documents. Pure: JSON in, our types out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from prorank_search.backends.engines.mappings import IndexMapping
from prorank_search.backends.engines.passages import best_of
from prorank_search.backends.engines.queries import MARKS
from prorank_search.errors import BackendError, InputError
from prorank_search.passages import parent_hit
from prorank_search.stored_documents import from_source, values_at
from prorank_search.types import Document, Hit, SourcePaths

Passages = Mapping[str, Sequence[Mapping[str, Any]]]
"""Id of a document to hits of its passages, the best first."""

_MARKED = re.compile(f"{MARKS[0]}([^{MARKS[1]}]*){MARKS[1]}")


def hits_of(
    answer: Mapping[str, Any], mapping: IndexMapping, source: SourcePaths | None, passages: Passages
) -> tuple[Hit, ...]:
    """Return the hits of an answer to `_search`; of an index of passages those of documents.

    Args:
        answer: The answer.
        mapping: What is known of the index.
        source: Where a document's parts stand, if its profile says so.
        passages: Further passages of documents, by their id; see `passages.best_passages`.

    Raises:
        InputError: No hit has a text where the profile says it stands.
        BackendError: The index does not store what its documents were made of, or hits have no score.
    """
    found = answer["hits"]["hits"]
    if mapping.in_passages:
        best = (best_of(hit, passages.get(parent_of(hit), ())) for hit in found)
        return tuple(parent_hit([_hit(each, mapping) for each in hits]) for hits in best)
    hits = tuple(_hit(hit, mapping, source) for hit in found)
    if found and not mapping.ours and not any(hit.document.text for hit in hits):
        raise InputError(_no_text(found[0], mapping, source))
    return hits


def parent_of(hit: Mapping[str, Any]) -> str:
    """Return the id of the document that a hit of a collapsed search stands for."""
    return str(hit["fields"]["parent_id"][0])


def is_outdated(mapping: IndexMapping, answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer comes from other concrete indexes than those that the mapping is of."""
    return any(hit["_index"] not in mapping.concrete for hit in answer["hits"]["hits"])


def document_of(hit: Mapping[str, Any], mapping: IndexMapping, source: SourcePaths | None = None) -> Document:
    """Return a hit's document: of an index of ours as it was given, of another one by the paths of its profile.

    What `_source` has beside title and text becomes metadata.

    Raises:
        BackendError: The hit has no `_source`.
    """
    stored = hit.get("_source")
    if stored is None:
        raise BackendError(f"index {mapping.index!r} does not store `_source`, so there is no text to show or to score")
    if source is None and (mapping.ours or (mapping.adopted and "doc_id" in stored)):
        return from_source(stored)
    paths = source or default_paths(mapping)
    return Document(
        doc_id=id_of(hit, paths),
        text=_joined(stored, paths.text),
        title=_joined(stored, paths.title) if paths.title else "",
        metadata={key: value for key, value in stored.items() if key not in (paths.text, paths.title)},
    )


def id_of(hit: Mapping[str, Any], source: SourcePaths | None) -> str:
    """Return a hit's document id: what stands at the path of the profile, else the engine's `_id`."""
    at_path = _joined(hit["_source"], source.doc_id) if source and source.doc_id else ""
    return at_path or str(hit["_id"])


def default_paths(mapping: IndexMapping) -> SourcePaths:
    """Return where an index of somebody else keeps its texts, where no profile says so: `title` and `text`."""
    return SourcePaths(title="title" if "title" in mapping.fields else None)


def marked_words(hit: Mapping[str, Any], fields: Sequence[str]) -> tuple[str, ...]:
    r"""Return the distinct marked words of a hit's highlight, field by field, in order of appearance.

    Example:
        >>> marked_words({"highlight": {"text": ["a \ue000fox\ue001 is a \ue000fox\ue001"]}}, ["title", "text"])
        ('fox',)
    """
    highlight = hit.get("highlight", {})
    texts = [text for name in fields for text in highlight.get(name, [])]
    return tuple(dict.fromkeys(word for text in texts for word in _MARKED.findall(text)))


def _hit(found: Mapping[str, Any], mapping: IndexMapping, source: SourcePaths | None = None) -> Hit:
    return Hit(document_of(found, mapping, source), _score(found))


def _joined(stored: Mapping[str, Any], path: str) -> str:
    return "\n".join(values_at(stored, path))


def _score(hit: Mapping[str, Any]) -> float:
    if hit.get("_score") is None:
        raise BackendError("the engine gave no scores: does the query body sort by something else?")
    return float(hit["_score"])


def _no_text(hit: Mapping[str, Any], mapping: IndexMapping, source: SourcePaths | None) -> str:
    path = (source or default_paths(mapping)).text
    return (
        f"no hit of index {mapping.index!r} has a text at {path!r}; the first one has: {', '.join(hit['_source'])}. "
        "Its profile has to say where, with `source = { text = ... }`: "
        f"`prorank profile guess {mapping.index}` writes one"
    )
