"""The `highlight` part of a search body."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prorank_search.query_dsl.clauses import HighlightField
from prorank_search.query_dsl.fields import TEXT_FIELDS, checked_field
from prorank_search.query_dsl.nodes import Node
from prorank_search.query_dsl.queries import parse_query
from prorank_search.query_dsl.source_filter import matches

MAX_FRAGMENTS = 1000

Options = dict[str, object]


def parse_highlight(node: Node) -> dict[str, HighlightField]:
    """Read `highlight`: for each field how its words are marked.

    Raises:
        InputError: An option or a field that the embedded index does not answer, with its path.

    Example:
        >>> parse_highlight(Node({"fields": {"te*": {}}, "pre_tags": ["<b>"]}, "highlight"))["text"].pre_tag
        '<b>'
    """
    options = node.options(("fields", *_OPTIONS))
    if "fields" not in options:
        node.refuse("`fields` is missing")
    for_all = _read(options)
    return {
        name: HighlightField(**(for_all | _read(own.options(_OPTIONS))))  # type: ignore[arg-type]
        for pattern, own in _fields(options["fields"])
        for name in _named(pattern, own)
    }


def _fields(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield patterns and options, of a table or of a list of tables with one key each."""
    if isinstance(node.value, list):
        for each in node.members():
            yield each.only()
    else:
        yield from node.table().items()


def _named(pattern: str, at: Node) -> list[str]:
    names = [name for name in TEXT_FIELDS if matches(pattern, name)]
    if not names:
        checked_field(pattern, at)
        at.refuse(f"words are marked in {' and '.join(TEXT_FIELDS)} alone")
    return names


def _read(options: dict[str, Node]) -> Options:
    for key, reader in _WITHOUT_EFFECT.items():
        if key in options:
            reader(options[key])
    return {name: reader(options[key]) for key, (name, reader) in _READERS.items() if key in options}


def _tag(node: Node) -> str:
    tags = node.one_or_more()
    if not tags:
        node.refuse("it has to name a tag")
    return tags[0].text()


def _fragments(node: Node) -> int:
    number = node.whole()
    if number > MAX_FRAGMENTS:
        node.refuse(f"{MAX_FRAGMENTS} fragments are the most")
    return number


_READERS: dict[str, tuple[str, Callable[[Node], object]]] = {
    "pre_tags": ("pre_tag", _tag),
    "post_tags": ("post_tag", _tag),
    "number_of_fragments": ("number_of_fragments", _fragments),
    "fragment_size": ("fragment_size", lambda node: node.whole(least=1)),
    "require_field_match": ("require_field_match", Node.flag),
    "highlight_query": ("query", parse_query),
}
"""Option to the attribute that it sets, and how it is read."""
_WITHOUT_EFFECT: dict[str, Callable[[Node], object]] = {"max_analyzer_offset": lambda node: node.whole(least=1)}
"""Options that are read and change nothing: texts are read to their end."""
_OPTIONS = (*_READERS, *_WITHOUT_EFFECT)
