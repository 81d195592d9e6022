"""The clauses of a query and the parts of a search body that the embedded index answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Operator = Literal["or", "and"]
Scalar = str | int | float | bool
Minimum = int | str | None
"""`minimum_should_match`: a number of clauses, a percentage of them ("75%"), negative: that many may miss."""


@dataclass(frozen=True, slots=True)
class MatchAll:
    """Every document."""

    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Match:
    """Documents with words of a text in one field."""

    field: str
    text: str
    operator: Operator = "or"
    minimum_should_match: Minimum = None
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class MultiMatch:
    """A `Match` in each of several fields: the best one's score, and of the others' the part that `tie_breaker` says.

    Attributes:
        text: What is searched for.
        fields: Field to boost.
        tie_breaker: 0 for `best_fields`, 1 for `most_fields`, where the body says nothing else.
        operator: Within each field.
        minimum_should_match: Within each field.
        boost: Of the whole.
    """

    text: str
    fields: Mapping[str, float]
    tie_breaker: float = 0.0
    operator: Operator = "or"
    minimum_should_match: Minimum = None
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Term:
    """Documents that have a value; in a field of words, that very term of the index."""

    field: str
    value: Scalar
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Documents that have any of several values."""

    field: str
    values: tuple[Scalar, ...]
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Range:
    """Documents with a value between bounds: `bounds` maps gt, gte, lt, lte to theirs."""

    field: str
    bounds: Mapping[str, Scalar]
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Ids:
    """Documents by their ids."""

    values: tuple[str, ...]
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Bool:
    """Clauses together: `must` and `should` score, `filter` and `must_not` choose."""

    must: tuple[Clause, ...] = ()
    should: tuple[Clause, ...] = ()
    filter: tuple[Clause, ...] = ()
    must_not: tuple[Clause, ...] = ()
    minimum_should_match: Minimum = None
    boost: float = 1.0


Clause = MatchAll | Match | MultiMatch | Term | Terms | Range | Ids | Bool


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """Which part of `_source` is shown.

    Attributes:
        shown: False: none, not even the key.
        includes: Patterns of paths; empty: all.
        excludes: Patterns of paths; they go before the others.
    """

    shown: bool = True
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HighlightField:
    """How one field is highlighted.

    Attributes:
        pre_tag: Before a word that matches.
        post_tag: Behind it.
        number_of_fragments: At most; 0: the whole text.
        fragment_size: Characters of a fragment, about.
        require_field_match: Whether only words count that are searched for in this field.
        query: Whose words; None: the search's.
    """

    pre_tag: str = "<em>"
    post_tag: str = "</em>"
    number_of_fragments: int = 5
    fragment_size: int = 100
    require_field_match: bool = True
    query: Clause | None = None


@dataclass(frozen=True, slots=True)
class SearchBody:
    """A body of `_search`.

    Attributes:
        query: What is searched for.
        start: Hits that are left out before the first one (`from`).
        size: Hits at most.
        source: What is shown of each.
        highlight: By field.
        count_up_to: How far hits are counted (`track_total_hits`); None: all of them; 0: not at all.
        min_score: Hits below are none.
    """

    query: Clause = MatchAll()
    start: int = 0
    size: int = 10
    source: SourceFilter = SourceFilter()
    highlight: Mapping[str, HighlightField] = field(default_factory=dict)
    count_up_to: int | None = 10_000
    min_score: float | None = None
