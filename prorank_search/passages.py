"""Passages in an index, and back into the documents that they are parts of. Standard library only.

In an index of passages each entry is one, also where a document is short enough to be a single passage. A search
answers with documents all the same: a hit stands for the document, with the text of its best passage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from prorank_search.types import Document, Hit

FIRST_FACT = "=first passage"
"""Fact of the passage that a document begins with: as many passages with it, as many documents. No metadata make it."""


def passage_of(document: Document, start: int, end: int) -> Document:
    """Return a part of a document as a passage, which bears its title and metadata.

    Args:
        document: The whole.
        start: The passage's first character in the document's text; 0 for the first passage, and for no other.
        end: The character behind its last.
    """
    return Document(
        doc_id=_passage_id(document.doc_id, start),
        text=document.text[start:end],
        title=document.title,
        metadata=document.metadata,
        parent_id=document.doc_id,
        passage_offsets=(start, end),
    )


def first_passage_id(doc_id: str) -> str:
    """Return the id under which an index of passages holds a document's first passage.

    Example:
        >>> first_passage_id("fox") == passage_of(Document("fox", "It runs."), 0, 8).doc_id
        True
    """
    return _passage_id(doc_id, 0)


def stored_id(document: Document) -> str:
    """Return the id under which an index holds the text of a hit's document: of a passage, where it shows one.

    Example:
        >>> stored_id(Document("fox", "It runs.")), stored_id(Document("fox", "It runs.", passage_offsets=(120, 128)))
        ('fox', 'fox#120')
    """
    if document.parent_id is not None or document.passage_offsets is None:
        return document.doc_id
    return _passage_id(document.doc_id, document.passage_offsets[0])


def parent_id_of(passage_id: str) -> str:
    """Return the id of the document that a passage is a part of.

    Example:
        >>> parent_id_of("fox#120")
        'fox'
    """
    return passage_id.rpartition("#")[0]


def document_ids(stored: Iterable[Document]) -> Iterator[str]:
    """Yield each document's id once, whether whole documents are stored or their passages.

    Example:
        >>> whole = Document("fox", "It runs. It eats.")
        >>> list(document_ids([passage_of(whole, 0, 8), passage_of(whole, 9, 17), Document("hen", "It pecks.")]))
        ['fox', 'hen']
    """
    for document in stored:
        if document.parent_id is None:
            yield document.doc_id
        elif is_first(document):
            yield document.parent_id


def whole_documents(stored: Iterable[Document]) -> Iterator[Document]:
    """Yield the documents that an index holds, put together again where it holds their passages.

    White space between two passages becomes blanks. All passages are held in memory.

    Example:
        >>> whole = Document("fox", "It runs. It eats.", "Fox")
        >>> list(whole_documents([passage_of(whole, 9, 17), passage_of(whole, 0, 8)])) == [whole]
        True
    """
    parts: dict[str, list[Document]] = {}
    for document in stored:
        if document.parent_id is None:
            yield document
        else:
            parts.setdefault(document.parent_id, []).append(document)
    for parent_id, passages in parts.items():
        yield replace(passages[0], doc_id=parent_id, text=_joined(passages), parent_id=None, passage_offsets=None)


def parent_hit(passages: Sequence[Hit]) -> Hit:
    """Return the hit of a document by its passages that were found, the best first: the score is the best one's."""
    best = passages[0].document
    document = replace(best, doc_id=best.parent_id or best.doc_id, parent_id=None)
    return Hit(document, passages[0].score, tuple(hit.document for hit in passages))


def is_first(passage: Document) -> bool:
    """Tell whether a passage is the one that its document begins with."""
    return passage.parent_id is not None and passage.passage_offsets is not None and passage.passage_offsets[0] == 0


def parent_fact(parent_id: str) -> str:
    """Return the fact by which the passages of a document are found; metadata make none with such a key."""
    return f"=passage of {parent_id}"


def passage_facts(document: Document) -> Iterator[str]:
    """Yield what a passage can be filtered by beside its metadata; nothing of a whole document."""
    if document.parent_id is not None:
        yield parent_fact(document.parent_id)
    if is_first(document):
        yield FIRST_FACT


def _joined(passages: Iterable[Document]) -> str:
    text = ""
    for (start, _), part in sorted((passage.passage_offsets or (0, 0), passage.text) for passage in passages):
        text = text.ljust(start)
        text += part[len(text) - start :]
    return text


def _passage_id(parent_id: str, start: int) -> str:
    return f"{parent_id}#{start}"
