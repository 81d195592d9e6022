"""A query in the engines' language as clauses: one function for each, and what refuses the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from prorank_search.query_dsl.clauses import (
    Bool,
    Clause,
    Ids,
    Match,
    MatchAll,
    Minimum,
    MultiMatch,
    Operator,
    Range,
    Scalar,
    Term,
    Terms,
)
from prorank_search.query_dsl.fields import METADATA, TEXT_FIELDS, checked_field
from prorank_search.query_dsl.nodes import Node
from prorank_search.stored_documents import plain

MAX_DEPTH = 20
MAX_CLAUSES = 1024
MAX_VALUES = 65_536
"""Limits of the engines' own: nested `bool` clauses, clauses in all, values of `terms` and `ids`."""

_MAX_BOOST = 1e20
"""Of all boosts around a clause together; scores are 32-bit numbers."""
_MINIMUM = re.compile(r"-?[0-9]{1,9}%?")
_DATE_MATH = re.compile(r"now|.*\|\|", re.DOTALL)
_OF_MATCH = ("query", "operator", "minimum_should_match", "boost")
_WITHOUT_EFFECT = ("lenient", "auto_generate_synonyms_phrase_query")
"""Options of `match` that are read and change nothing: there are no number fields and no synonyms."""
_TIE_BREAKERS = {"best_fields": 0.0, "most_fields": 1.0}
_BOUNDS = ("gt", "gte", "lt", "lte")
_OCCURS = ("must", "should", "filter", "must_not")


def parse_query(node: Node) -> Clause:
    """Return a query's clauses.

    Raises:
        InputError: A clause or an option that the embedded index does not answer, with its path.

    Example:
        >>> parse_query(Node({"match": {"text": "red fox"}}, "query"))
        Match(field='text', text='red fox', operator='or', minimum_should_match=None, boost=1.0)
        >>> parse_query(Node({"fuzzy": {"text": "fix"}}, "query"))
        Traceback (most recent call last):
        prorank_search.errors.InputError: query.fuzzy: the embedded index does not answer it; known are match_all, \
match, multi_match, bool, term, terms, range, ids
    """
    clause = _parse(node, _Around())
    if _size(clause) > MAX_CLAUSES:
        node.refuse(f"it has more than {MAX_CLAUSES} clauses")
    return clause


class _Around(NamedTuple):
    """What stands around a clause: how many, and what their boosts come to."""

    depth: int = 0
    boost: float = 1.0


def _parse(node: Node, around: _Around) -> Clause:
    if around.depth > MAX_DEPTH:
        node.refuse(f"it lies deeper than {MAX_DEPTH} clauses")
    name, inner = node.only()
    node.options(_PARSERS)
    return _PARSERS[name](inner, around)


def _match_all(node: Node, around: _Around) -> MatchAll:
    return MatchAll(_boost(node.options(("boost",)), around))


def _match(node: Node, around: _Around) -> Match:
    name, inner = node.only()
    field = checked_field(name, inner)
    if not isinstance(inner.value, dict):
        return Match(field, plain(inner.scalar()))
    options = inner.options((*_OF_MATCH, *_WITHOUT_EFFECT))
    return Match(
        field,
        plain(_required(inner, options, "query").scalar()),
        _operator(options),
        _minimum(options),
        _boost(options, around),
    )


def _multi_match(node: Node, around: _Around) -> MultiMatch:
    options = node.options((*_OF_MATCH, "fields", "type", "tie_breaker", *_WITHOUT_EFFECT))
    kind = options["type"].choice(_TIE_BREAKERS) if "type" in options else "best_fields"
    fields = dict(_boosted_field(each) for each in options["fields"].one_or_more()) if "fields" in options else {}
    if "fields" in options and not fields:
        options["fields"].refuse("it has to name a field")
    return MultiMatch(
        plain(_required(node, options, "query").scalar()),
        fields or dict.fromkeys(TEXT_FIELDS, 1.0),
        _share(options["tie_breaker"]) if "tie_breaker" in options else _TIE_BREAKERS[kind],
        _operator(options),
        _minimum(options),
        _boost(options, around),
    )


def _term(node: Node, around: _Around) -> Term:
    name, inner = node.only()
    field = checked_field(name, inner)
    if not isinstance(inner.value, dict):
        return Term(field, inner.scalar())
    options = inner.options(("value", "boost"))
    return Term(field, _required(inner, options, "value").scalar(), _boost(options, around))


def _terms(node: Node, around: _Around) -> Terms:
    table = node.table()
    boost = _boost({"boost": table.pop("boost")} if "boost" in table else {}, around)
    if len(table) != 1:
        node.refuse(f"it has to name one field, not {len(table)}")
    name, inner = next(iter(table.items()))
    return Terms(checked_field(name, inner), tuple(each.scalar() for each in _values(inner)), boost)


def _range(node: Node, around: _Around) -> Range:
    name, inner = node.only()
    field = checked_field(name, inner)
    if not field.startswith(METADATA):
        inner.refuse("only fields of the metadata have an order: metadata.KEY")
    options = inner.options((*_BOUNDS, "boost"))
    bounds = {key: _bound(options[key]) for key in _BOUNDS if key in options and options[key].value is not None}
    return Range(field, bounds, _boost(options, around))


def _ids(node: Node, around: _Around) -> Ids:
    options = node.options(("values", "boost"))
    values = _required(node, options, "values")
    return Ids(tuple(plain(each.scalar()) for each in _values(values)), _boost(options, around))


def _bool(node: Node, around: _Around) -> Bool:
    options = node.options((*_OCCURS, "minimum_should_match", "boost"))
    boost = _boost(options, around)
    inside = _Around(around.depth + 1, around.boost * boost)
    parsed = {
        occur: tuple(_parse(each, inside) for each in options[occur].one_or_more())
        for occur in _OCCURS
        if occur in options
    }
    return Bool(**parsed, minimum_should_match=_minimum(options), boost=boost)


_PARSERS: dict[str, Callable[[Node, _Around], Clause]] = {
    "match_all": _match_all,
    "match": _match,
    "multi_match": _multi_match,
    "bool": _bool,
    "term": _term,
    "terms": _terms,
    "range": _range,
    "ids": _ids,
}


def _required(node: Node, options: Mapping[str, Node], key: str) -> Node:
    if key not in options:
        node.refuse(f"`{key}` is missing")
    return options[key]


def _boost(options: Mapping[str, Node], around: _Around) -> float:
    if "boost" not in options:
        return 1.0
    boost = options["boost"].number(least=0)
    if boost * around.boost > _MAX_BOOST:
        options["boost"].refuse(f"the boosts around it come to more than {_MAX_BOOST:g}")
    return boost


def _share(node: Node) -> float:
    share = node.number(least=0)
    if share > 1:
        node.refuse("it has to be a number from 0 to 1")
    return share


def _operator(options: Mapping[str, Node]) -> Operator:
    if "operator" not in options:
        return "or"
    node = options["operator"]
    return "and" if Node(node.text().lower(), node.path).choice(("or", "and")) == "and" else "or"


def _minimum(options: Mapping[str, Node]) -> Minimum:
    node = options.get("minimum_should_match")
    if node is None:
        return None
    if not _MINIMUM.fullmatch(str(node.scalar())):
        node.refuse("it has to be a whole number or a percentage, such as 2, -1 or 75%; not combinations of these")
    return str(node.value) if str(node.value).endswith("%") else int(str(node.value))


def _boosted_field(node: Node) -> tuple[str, float]:
    name, hat, boost = node.text().partition("^")
    return checked_field(name, node), _boost({"boost": Node(boost, node.path)}, _Around()) if hat else 1.0


def _values(node: Node) -> Collection[Node]:
    values = node.members()
    if len(values) > MAX_VALUES:
        node.refuse(f"it has {len(values)} values, and {MAX_VALUES} is the most")
    return values


def _bound(node: Node) -> Scalar:
    value = node.scalar()
    if isinstance(value, str) and _DATE_MATH.match(value):
        node.refuse("the embedded index does not calculate with dates: write the date itself")
    return value


def _size(clause: Clause) -> int:
    if not isinstance(clause, Bool):
        return 1
    return 1 + sum(_size(each) for each in (*clause.must, *clause.should, *clause.filter, *clause.must_not))
