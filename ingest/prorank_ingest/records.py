"""A record of a source, as a mapping of names to values, becomes a document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, ReaderOptions
from prorank_search.types import Document

LONGEST_ID_BYTES = 512
_ID_NAMES = ("_id", "id", "doc_id")
_TITLE_NAMES = ("title",)
_TEXT_NAMES = ("text", "contents", "content", "body")


class RecordError(ValueError):
    """A record that cannot become a document; the message is the reason in its dead letter."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names under which a record holds id, title and text: the first that has a value counts."""

    doc_id: tuple[str, ...] = _ID_NAMES
    title: tuple[str, ...] = _TITLE_NAMES
    text: tuple[str, ...] = _TEXT_NAMES

    @classmethod
    def of(cls, options: ReaderOptions) -> Names:
        """Return the names that the options ask for, and the usual ones for the rest."""
        return cls(
            doc_id=(options.id_column,) if options.id_column else _ID_NAMES,
            title=(options.title_column,) if options.title_column else _TITLE_NAMES,
            text=(options.text_column,) if options.text_column else _TEXT_NAMES,
        )


_OURS = Names(("_id",), ("title",), ("text",))


def to_document(record: Mapping[str, object], names: Names) -> Document:
    """Make a document of a record.

    An id is a string, or a whole number, which becomes its decimal string. What is neither id, title nor text goes
    into the metadata; an object named `metadata` is poured into it; empty values are left out.

    Raises:
        RecordError: There is no id, neither title nor text, or one of them is of a wrong type.

    Example:
        >>> to_document({"id": 7, "body": "It barks.", "lang": "en"}, Names())
        Document(doc_id='7', text='It barks.', title='', metadata={'lang': 'en'}, parent_id=None, passage_offsets=None)
    """
    id_name = _first(record, names.doc_id)
    title_name = _first(record, names.title)
    text_name = _first(record, names.text)
    doc_id = _doc_id(record, id_name, names)
    title = _string(record, title_name)
    text = _string(record, text_name)
    if not title.strip() and not text.strip():
        raise RecordError(f"neither title nor text; looked for {', '.join(names.title + names.text)}")
    metadata = _metadata(record, {id_name, title_name, text_name, "metadata"})
    require_unicode(doc_id, title, text)
    return Document(doc_id, text, title, metadata)


def usable(document: Document, source: str) -> Document | BadRecord:
    """Return a document that another index holds, or why it cannot be in one of ours.

    Example:
        >>> usable(Document("7", " "), "http://127.0.0.1:9200/shop").reason
        'neither title nor text; looked for title, text'
    """
    record = as_record(document)
    try:
        return to_document(record, _OURS)
    except RecordError as error:
        written = json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return BadRecord(source, None, str(error), written.decode())


def as_record(document: Document) -> dict[str, object]:
    """Return the record that a document can be made of again."""
    return {"_id": document.doc_id, "title": document.title, "text": document.text, "metadata": document.metadata}


def require_columns(source: Path | str, columns: Sequence[str], names: Names) -> None:
    """Check that a table's columns hold an id, and title or text.

    Raises:
        InputError: One is missing; the message has the columns that are there.
    """
    there = f"it has the columns {', '.join(columns)}" if columns else "the file is empty"
    if not set(names.doc_id) & set(columns):
        wanted = ", ".join(names.doc_id)
        raise InputError(f"{source} has no column for the id ({wanted}): {there}; say which with --id-column")
    if not set(names.title + names.text) & set(columns):
        wanted = ", ".join(names.title + names.text)
        raise InputError(f"{source} has no column for the text ({wanted}): {there}; say which with --text-column")


def require_id(doc_id: str) -> str:
    """Return a document's id.

    Raises:
        RecordError: It is blank, or longer than the engines take.
    """
    length = len(doc_id.encode("utf-8", "surrogatepass"))
    if not doc_id.strip() or length > LONGEST_ID_BYTES:
        raise RecordError(f"the id {doc_id[:80]!r} has {length} bytes; it must have 1 to {LONGEST_ID_BYTES}, not blank")
    return doc_id


def require_unicode(*strings: str) -> None:
    """Check that the strings can be written as UTF-8.

    Raises:
        RecordError: One holds half a surrogate pair, as a broken JSON escape or a file that is not UTF-8 leaves it.
    """
    for string in strings:
        if not string.isascii():
            try:
                string.encode()
            except UnicodeEncodeError as error:
                raise RecordError(f"not UTF-8: {error.reason} at character {error.start}") from error


def _first(record: Mapping[str, object], wanted: tuple[str, ...]) -> str | None:
    for name in wanted:
        if record.get(name) not in (None, ""):
            return name
    return None


def _doc_id(record: Mapping[str, object], name: str | None, names: Names) -> str:
    if name is None:
        raise RecordError(f"no id; looked for {', '.join(names.doc_id)}")
    value = record[name]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RecordError(f"the id {name!r} is {_type_of(value)}, not a string or a whole number")
    return require_id(value)


def _string(record: Mapping[str, object], name: str | None) -> str:
    value = "" if name is None else record[name]
    if not isinstance(value, str):
        raise RecordError(f"{name!r} is {_type_of(value)}, not a string")
    return value


def _metadata(record: Mapping[str, object], taken: set[str | None]) -> dict[str, object]:
    own = record.get("metadata") or {}
    if not isinstance(own, dict):
        raise RecordError(f"'metadata' is {_type_of(own)}, not an object")
    metadata = {name: value for name, value in record.items() if name not in taken and value not in (None, "")}
    metadata.update(own)
    if metadata:
        require_unicode(json.dumps(metadata, ensure_ascii=False))
    return metadata


def _type_of(value: object) -> str:
    kinds = {bool: "true or false", float: "a fraction", int: "a number", list: "an array", dict: "an object"}
    return kinds.get(type(value), type(value).__name__)
