"""`_source` and `filter_path`: which parts of a JSON object are shown, by the engines' patterns (`a.b`, `a.*`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prorank_search.query_dsl.clauses import SourceFilter
from prorank_search.query_dsl.nodes import Node

_INCLUDES = ("includes", "include")
_EXCLUDES = ("excludes", "exclude")
_MOST_PATTERNS = 1_000


def parse_source(node: Node) -> SourceFilter:
    """Read `_source`: true, false, a pattern, a list of them, or a table of `includes` and `excludes`.

    Raises:
        InputError: It is something else, or more than 1,000 patterns.

    Example:
        >>> parse_source(Node({"excludes": ["metadata.*"]}, "_source"))
        SourceFilter(shown=True, includes=(), excludes=('metadata.*',))
    """
    if isinstance(node.value, bool):
        return SourceFilter(shown=node.value)
    if not isinstance(node.value, dict):
        return SourceFilter(includes=_patterns(node))
    options = node.options((*_INCLUDES, *_EXCLUDES))
    found = {key: _patterns(each) for key, each in options.items()}
    return SourceFilter(
        includes=tuple(pattern for key in _INCLUDES for pattern in found.get(key, ())),
        excludes=tuple(pattern for key in _EXCLUDES for pattern in found.get(key, ())),
    )


def shown_part(source: Mapping[str, object], wanted: SourceFilter) -> dict[str, object]:
    """Return what is shown of an object.

    Example:
        >>> source = {"title": "Fox", "metadata": {"year": 2020, "kind": "mammal"}, "text": "It runs."}
        >>> shown_part(source, SourceFilter(includes=("meta*", "title"), excludes=("*.kind",)))
        {'title': 'Fox', 'metadata': {'year': 2020}}
    """
    if not wanted.includes and not wanted.excludes:
        return dict(source)
    return _part(source, "", wanted, included=not wanted.includes)


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name is what a pattern says, where each `*` stands for any characters.

    Example:
        >>> matches("meta*.y*r", "metadata.year"), matches("year", "metadata.year")
        (True, False)
    """
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    *inner, last = others
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    at, end = len(first), len(name) - len(last)
    for piece in inner:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _part(source: Mapping[str, object], prefix: str, wanted: SourceFilter, *, included: bool) -> dict[str, object]:
    part: dict[str, object] = {}
    for key, value in source.items():
        path = f"{prefix}{key}"
        if _any(wanted.excludes, path):
            continue
        inside = included or _any(wanted.includes, path)
        kept = _kept(value, f"{path}.", wanted, included=inside)
        if inside or kept:
            part[key] = kept
    return part


def _kept(value: object, prefix: str, wanted: SourceFilter, *, included: bool) -> object:
    if isinstance(value, Mapping):
        return _part(value, prefix, wanted, included=included)
    if isinstance(value, list | tuple):
        members = [_kept(each, prefix, wanted, included=included) for each in value]
        return members if included else [each for each in members if each]
    return value if included else None


def _any(patterns: Sequence[str], path: str) -> bool:
    return any(matches(pattern, path) for pattern in patterns)


def _patterns(node: Node) -> tuple[str, ...]:
    patterns = node.one_or_more()
    if len(patterns) > _MOST_PATTERNS:
        node.refuse(f"at most {_MOST_PATTERNS:,} patterns, not {len(patterns):,}: each is held against every field")
    return tuple(each.text() for each in patterns)
