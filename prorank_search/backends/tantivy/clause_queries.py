"""Clauses of the engines' query language as tantivy's queries, by the index's own analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import tantivy

from prorank_search.backends.tantivy.fact_ranges import facts_between
from prorank_search.backends.tantivy.fields import SEARCHED, Analysis, schema, term_query, text_query
from prorank_search.backends.tantivy.reader import Reader
from prorank_search.errors import InputError
from prorank_search.passages import parent_fact
from prorank_search.query_dsl import (
    Bool,
    Clause,
    Ids,
    Match,
    MatchAll,
    Minimum,
    MultiMatch,
    Range,
    Scalar,
    Term,
    Terms,
)
from prorank_search.query_dsl.fields import FACTS, ID_FIELDS, METADATA, PARENT
from prorank_search.stored_documents import MAX_FACT_BYTES, plain

MAX_TERMS = 4096
"""Different terms in all texts of a query."""


def query_of(clause: Clause, reader: Reader) -> tantivy.Query:
    """Return the query of a clause over an index.

    Raises:
        InputError: It has more terms than can be searched for, or compares a value that is too long to be indexed.
    """
    if sum(len(set(terms)) for _, terms in terms_of(clause, reader.analysis)) > MAX_TERMS:
        raise InputError(f"the query's texts have more than {MAX_TERMS} different words")
    return _query(clause, reader)


def terms_of(clause: Clause, analysis: Analysis) -> Iterator[tuple[str, list[str]]]:
    """Yield for each text that a clause looks for its field and its terms; not for what must not be there."""
    match clause:
        case Match(field=field, text=text) if field in SEARCHED:
            yield field, analysis.terms(text)
        case MultiMatch(text=text, fields=fields):
            yield from ((field, analysis.terms(text)) for field in fields if field in SEARCHED)
        case Term(field=field, value=value) if field in SEARCHED:
            yield field, [plain(value)]
        case Terms(field=field, values=values) if field in SEARCHED:
            yield field, [plain(value) for value in values]
        case Bool():
            for each in (*clause.must, *clause.should, *clause.filter):
                yield from terms_of(each, analysis)


def _query(clause: Clause, reader: Reader) -> tantivy.Query:
    match clause:
        case Match():
            return _match(clause, reader)
        case MultiMatch():
            return _multi_match(clause, reader)
        case Bool():
            return _bool(clause, reader)
        case Term(field=field, value=value, boost=boost) if field in SEARCHED:
            return term_query(field, plain(value), boost)
    return _constant(_chosen(clause, reader), clause.boost)


def _chosen(clause: MatchAll | Term | Terms | Range | Ids, reader: Reader) -> tantivy.Query:
    """Return the query of a clause whose documents all have the same score."""
    match clause:
        case MatchAll():
            return tantivy.Query.all_query()
        case Term(field=field, value=value):
            return _exact(field, [value], reader)
        case Terms(field=field, values=values):
            return _exact(field, values, reader)
        case Range(field=field, bounds=bounds):
            found = facts_between(reader.index.searcher(), field.removeprefix(METADATA), bounds)
            return _any_of("facts", found)
        case Ids(values=values):
            return _exact("_id", values, reader)


def _match(clause: Match, reader: Reader) -> tantivy.Query:
    if clause.field not in SEARCHED:
        return _constant(_exact(clause.field, [clause.text], reader), clause.boost)
    terms = reader.analysis.terms(clause.text)
    if not terms:
        return tantivy.Query.empty_query()
    if clause.operator == "and":
        queries = [term_query(clause.field, term, clause.boost * times) for term, times in Counter(terms).items()]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])
    if clause.minimum_should_match is None or len(terms) == 1:
        return text_query(terms, {clause.field: clause.boost})
    return _some_of([term_query(clause.field, term, clause.boost) for term in terms], clause.minimum_should_match)


def _multi_match(clause: MultiMatch, reader: Reader) -> tantivy.Query:
    matches = [
        Match(field, clause.text, clause.operator, clause.minimum_should_match, boost * clause.boost)
        for field, boost in clause.fields.items()
    ]
    return tantivy.Query.disjunction_max_query([_match(each, reader) for each in matches], clause.tie_breaker)


def _bool(clause: Bool, reader: Reader) -> tantivy.Query:
    chosen = [_constant(_query(each, reader), 0.0) for each in clause.filter]
    required = [(tantivy.Occur.Must, query) for query in (*(_query(each, reader) for each in clause.must), *chosen)]
    refused = [(tantivy.Occur.MustNot, _query(each, reader)) for each in clause.must_not]
    optional = [(tantivy.Occur.Should, _query(each, reader)) for each in clause.should]
    if not required and not optional:
        everything = _constant(tantivy.Query.all_query(), 0.0 if refused else 1.0)
        required = [(tantivy.Occur.Must, everything)]
    least = _least(clause.minimum_should_match, len(optional))
    if optional and not required:
        least = max(least, 1)
    if least > len(optional):
        return tantivy.Query.empty_query()
    query = tantivy.Query.boolean_query([*required, *refused, *optional], least)
    return tantivy.Query.boost_query(query, clause.boost)


def _some_of(queries: Sequence[tantivy.Query], minimum: Minimum) -> tantivy.Query:
    least = max(1, _least(minimum, len(queries)))
    if least > len(queries):
        return tantivy.Query.empty_query()
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries], least)


def _least(minimum: Minimum, clauses: int) -> int:
    """Return how many of so many clauses have to match, as the engines calculate it."""
    if minimum is None:
        return 0
    if isinstance(minimum, str):
        share = int(minimum.removesuffix("%"))
        least = int(clauses * share / 100)
        minimum = least if share >= 0 else clauses + least
    elif minimum < 0:
        minimum += clauses
    return max(minimum, 0)


def _exact(field: str, values: Iterable[Scalar], reader: Reader) -> tantivy.Query:
    """Return the query for whole values; in a field of words, for terms."""
    texts = [plain(value) for value in values]
    if field in SEARCHED:
        return _any_of(field, texts)
    if field in ID_FIELDS:
        whole = _any_of("doc_id", texts)
        return _either(whole, _passages_of(texts)) if reader.in_passages else whole
    if field == PARENT:
        return _passages_of(texts)
    facts = texts if field == FACTS else list(_facts(field.removeprefix(METADATA), values))
    if any(len(fact.encode()) > MAX_FACT_BYTES for fact in facts):
        raise InputError(f"a value of {field!r} has over {MAX_FACT_BYTES} bytes: such values are not indexed")
    return _any_of("facts", facts)


def _passages_of(doc_ids: Iterable[str]) -> tantivy.Query:
    return _any_of("facts", [parent_fact(doc_id) for doc_id in doc_ids])


def _either(*queries: tantivy.Query) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _facts(key: str, values: Iterable[Scalar]) -> Iterator[str]:
    """Yield the facts of a key's values; a whole number is the same with and without `.0`."""
    for value in values:
        yield f"{key}={plain(value)}"
        if isinstance(value, float) and value.is_integer():
            yield f"{key}={int(value)}"
        elif isinstance(value, int) and not isinstance(value, bool):
            yield f"{key}={value}.0"


def _any_of(field: str, terms: Sequence[str]) -> tantivy.Query:
    return tantivy.Query.term_set_query(schema(), field, terms)


def _constant(query: tantivy.Query, score: float) -> tantivy.Query:
    return tantivy.Query.const_score_query(query, score)
