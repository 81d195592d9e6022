"""What a mapping says of an index: its fields, which of them are nested, and whether we made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prorank_search.backends.engines.analysis import ADOPTED, FORMAT, MARK
from prorank_search.errors import BackendError, InputError

_TEXTUAL = ("text", "match_only_text", "search_as_you_type", "keyword", "wildcard", "constant_keyword")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an index.

    Attributes:
        type: The engine's word for it ("text", "keyword", "long").
        nested: Paths of the nested objects that it stands in, the outermost first.
        analyzer: Name of its analyzer, where it names one.
        part_of: The field that it indexes once more in another way; empty: none.
    """

    type: str
    nested: tuple[str, ...] = ()
    analyzer: str = ""
    part_of: str = ""

    @property
    def textual(self) -> bool:
        """Tell whether its values are texts."""
        return self.type in _TEXTUAL


@dataclass(frozen=True, slots=True)
class IndexMapping:
    """What is known of an index before it is searched.

    Attributes:
        index: Its name, as it was asked for.
        concrete: Names of the concrete indexes behind it.
        fields: Its fields by name, dots included.
        mark: What we wrote into it when we made it; empty: it is somebody else's.
        adopted: Whether we may write into it, though it is somebody else's: some of its documents can be of ours.
    """

    index: str
    concrete: frozenset[str]
    fields: Mapping[str, Field]
    mark: Mapping[str, Any]
    adopted: bool = False

    @property
    def ours(self) -> bool:
        """Tell whether we made the index."""
        return bool(self.mark)

    @property
    def in_passages(self) -> bool:
        """Tell whether it is an index of passages."""
        return "passages" in self.mark

    def field(self, name: str) -> Field:
        """Return a field.

        Raises:
            InputError: There is none of that name.
        """
        if name not in self.fields:
            known = ", ".join(field for field, found in self.fields.items() if found.textual) or "none with text"
            raise InputError(f"index {self.index!r} has no field {name!r}; it has: {known}")
        return self.fields[name]

    def exact(self, name: str) -> str:
        """Return under which name a field's whole values can be compared: its own, or that of the part that keeps them.

        Raises:
            InputError: There is no field of that name.
        """
        if self.field(name).type != "text":
            return name
        kept = (part for part, field in self.fields.items() if field.part_of == name and field.type == "keyword")
        return next(kept, name)


def mapping_of(index: str, answer: Mapping[str, Any]) -> IndexMapping:
    """Read the answer to `GET /INDEX/_mapping`; the fields of all indexes behind an alias count.

    Raises:
        BackendError: Another release of this library made the index.

    Example:
        >>> found = mapping_of("shop", {"shop-1": {"mappings": {"properties": {
        ...     "parts": {"type": "nested", "properties": {"name": {"type": "text"}}}}}}})
        >>> found.fields["parts.name"].nested, found.ours
        (('parts',), False)
    """
    mappings = [each.get("mappings", {}) for each in answer.values()]
    fields = {name: field for mapping in mappings for name, field in _fields(mapping.get("properties", {}), "", ())}
    marks: Sequence[Mapping[str, Any]] = [mapping.get("_meta", {}).get(MARK, {}) for mapping in mappings]
    mark = marks[0] if marks and all(marks) else {}
    if mark and mark.get("format") != FORMAT:
        raise BackendError(
            f"index {index!r} has format {mark.get('format')}, this release reads {FORMAT}: ingest again with --replace"
        )
    adopted = any(ADOPTED in mapping.get("_meta", {}) for mapping in mappings)
    return IndexMapping(index, frozenset(answer), fields, mark, adopted)


def _fields(
    properties: Mapping[str, Any], prefix: str, nested: tuple[str, ...], part_of: str = ""
) -> Iterator[tuple[str, Field]]:
    for key, said in properties.items():
        name = f"{prefix}{key}"
        inside = (*nested, name) if said.get("type") == "nested" else nested
        if "properties" in said:
            yield from _fields(said["properties"], f"{name}.", inside)
        if said.get("type", "object") not in ("object", "nested"):
            yield name, Field(said["type"], nested, said.get("analyzer", ""), part_of)
        yield from _fields(said.get("fields", {}), f"{name}.", nested, part_of=name)
