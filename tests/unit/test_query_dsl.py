from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prorank_search.errors import InputError
from prorank_search.query_dsl import (
    Bool,
    Ids,
    Match,
    MatchAll,
    MultiMatch,
    Range,
    SearchBody,
    SourceFilter,
    Term,
    Terms,
    parse_count,
    parse_search,
    shown_part,
)
from prorank_search.query_dsl.source_filter import matches
from tests.random_bodies import random_body

FOX = {"match": {"text": "fox"}}


def query(value: object) -> object:
    return parse_search({"query": value}).query


def test_a_body_without_anything_asks_for_the_first_ten_of_all_documents() -> None:
    assert parse_search(None) == parse_search({}) == SearchBody(MatchAll(), start=0, size=10, count_up_to=10_000)


@pytest.mark.parametrize(
    ("given_query", "clause"),
    [
        ({"match_all": {}}, MatchAll()),
        ({"match_all": {"boost": "2"}}, MatchAll(2.0)),
        (FOX, Match("text", "fox")),
        ({"match": {"metadata.year": 2020}}, Match("metadata.year", "2020")),
        (
            {"match": {"title": {"query": "fox", "operator": "AND", "boost": 2, "lenient": True}}},
            Match("title", "fox", "and", boost=2.0),
        ),
        ({"match": {"text": {"query": "a b", "minimum_should_match": "75%"}}}, Match("text", "a b", "or", "75%")),
        ({"multi_match": {"query": "fox"}}, MultiMatch("fox", {"title": 1.0, "text": 1.0})),
        (
            {"multi_match": {"query": "fox", "fields": ["title^3", "text"], "type": "most_fields"}},
            MultiMatch("fox", {"title": 3.0, "text": 1.0}, tie_breaker=1.0),
        ),
        (
            {"multi_match": {"query": "fox", "fields": "text", "tie_breaker": 0.3}},
            MultiMatch("fox", {"text": 1.0}, tie_breaker=0.3),
        ),
        ({"term": {"metadata.kind": "bird"}}, Term("metadata.kind", "bird")),
        ({"term": {"metadata.kind": {"value": True, "boost": 3}}}, Term("metadata.kind", value=True, boost=3.0)),
        ({"terms": {"facts": ["a=1", "a=2"], "boost": 2}}, Terms("facts", ("a=1", "a=2"), 2.0)),
        ({"range": {"metadata.year": {"gte": 2020, "lt": None}}}, Range("metadata.year", {"gte": 2020})),
        ({"ids": {"values": ["1", 2]}}, Ids(("1", "2"))),
        (
            {"bool": {"must": FOX, "filter": [{"match_all": {}}], "minimum_should_match": "-1"}},
            Bool(must=(Match("text", "fox"),), filter=(MatchAll(),), minimum_should_match=-1),
        ),
    ],
)
def test_a_supported_clause_is_read(given_query: object, clause: object) -> None:
    assert query(given_query) == clause


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"aggs": {}}, "aggs: the embedded index does not answer it; known are query, from"),
        ({"querry": FOX}, "querry: the embedded index does not answer it; did you mean 'query'?"),
        ({"query": {"mach": {}}}, "query.mach: the embedded index does not answer it; did you mean 'match'?"),
        ({"query": {"bool": {"must": [FOX, {"fuzzy": {}}]}}}, r"query.bool.must\[1\].fuzzy: "),
        ({"query": {"bool": {"musst": []}}}, "query.bool.musst: .*did you mean 'must'?"),
        ({"query": {"match": {"text": {"query": "a", "fuzziness": 1}}}}, "query.match.text.fuzziness: "),
        ({"query": {"match": {"text": {}}}}, "query.match.text: `query` is missing"),
        (
            {"query": {"match": {"txt": "a"}}},
            "query.match.txt: an embedded index has no such field; did you mean 'text'",
        ),
        ({"query": {"match": {"text": "a", "title": "b"}}}, "query.match: it has to have one key, not 2"),
        ({"query": {"match": {"text": ["a"]}}}, "query.match.text: it has to be a single value, not a list"),
        ({"query": {"match": {"text": {"query": "a", "minimum_should_match": "2<75%"}}}}, "not combinations"),
        ({"query": {"multi_match": {"query": "a", "type": "cross_fields"}}}, "query.multi_match.type: .*best_fields"),
        ({"query": {"multi_match": {"query": "a", "fields": ["text^x"]}}}, r"fields\[0\]: it has to be a number"),
        ({"query": {"term": {"_id": None}}}, "query.term._id: it has to be a single value, not null"),
        ({"query": {"terms": {"_id": {"index": "x"}}}}, "query.terms._id: it has to be a list, not a table"),
        ({"query": {"range": {"text": {"gte": "a"}}}}, "query.range.text: only fields of the metadata"),
        ({"query": {"range": {"metadata.day": {"gte": "now-1d"}}}}, "query.range.metadata.day.gte: .*dates"),
        ({"query": {}}, "query: it has to have one key, not 0"),
        ({"query": {"match_all": {"boost": -1}}}, "query.match_all.boost: it has to be a number from 0 up"),
        ({"from": 9_990, "size": 11}, "10001, and 10000 is the most"),
        ({"size": 1.5}, "size: it has to be a whole number"),
        ({"sort": [{"metadata.year": "asc"}]}, r"sort\[0\]: the embedded index sorts by _score alone"),
        ({"sort": [{"_score": {"order": "asc"}}]}, r"sort\[0\]._score.order: .*known are desc"),
        ({"_source": ["a.*"] * 1_001}, "_source: at most 1,000 patterns"),
        ({"_source": {"include_": []}}, "_source.include_: .*did you mean 'include"),
        ({"highlight": {"fields": {"metadata.kind": {}}}}, "highlight.fields.metadata.kind: words are marked in title"),
        ({"highlight": {"fields": {"text": {"type": "fvh"}}}}, "highlight.fields.text.type: "),
        ([], "the body: it has to be a table, not a list"),
    ],
)
def test_what_is_not_answered_is_named_with_its_path(body: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_search(body)


def test_a_message_holds_no_value() -> None:
    with pytest.raises(InputError) as caught:
        parse_search({"query": {"match": {"text": {"query": ["secret words"]}}}})
    assert "secret" not in str(caught.value)


def test_the_order_by_score_may_be_asked_for() -> None:
    for sort in ("_score", ["_score"], {"_score": "desc"}, [{"_score": {"order": "desc"}}]):
        assert parse_search({"sort": sort}) == SearchBody()


@pytest.mark.parametrize(("said", "count_up_to"), [(True, None), (False, 0), (100, 100), ("true", None)])
def test_hits_are_counted_as_far_as_is_asked_for(said: object, count_up_to: int | None) -> None:
    assert parse_search({"track_total_hits": said}).count_up_to == count_up_to


def test_highlighting_of_a_field_goes_before_that_of_all() -> None:
    said = {"pre_tags": ["<b>"], "number_of_fragments": 2, "fields": [{"t*": {}}, {"text": {"number_of_fragments": 0}}]}
    fields = parse_search({"highlight": said}).highlight
    assert {name: (how.pre_tag, how.number_of_fragments) for name, how in fields.items()} == {
        "title": ("<b>", 2),
        "text": ("<b>", 0),
    }


def test_a_count_has_a_query_and_nothing_else() -> None:
    assert parse_count({"query": FOX}) == Match("text", "fox")
    with pytest.raises(InputError, match="size: "):
        parse_count({"size": 1})


def test_clauses_lie_no_deeper_than_twenty() -> None:
    deep: object = FOX
    for _ in range(20):
        deep = {"bool": {"must": deep}}
    assert isinstance(query(deep), Bool)
    with pytest.raises(InputError, match="deeper than 20"):
        query({"bool": {"must": deep}})


def test_clauses_are_no_more_than_1024_in_all() -> None:
    many = {"bool": {"should": [FOX] * 600}}
    assert isinstance(query(many), Bool)
    with pytest.raises(InputError, match="more than 1024 clauses"):
        query({"bool": {"must": [many, many]}})


def test_boosts_together_stay_numbers() -> None:
    boosted: object = {"match_all": {"boost": 1e15}}
    with pytest.raises(InputError, match="the boosts around it come to more"):
        query({"bool": {"must": boosted, "boost": 1e15}})


SOURCE = {
    "doc_id": "fox",
    "title": "Fox",
    "metadata": {"kind": "mammal", "author": {"name": "Eve", "born": 1970}, "parts": [{"a": 1, "b": 2}, {"b": 3}]},
}


@pytest.mark.parametrize(
    ("includes", "excludes", "shown"),
    [
        ((), (), SOURCE),
        (("title",), (), {"title": "Fox"}),
        (("metadata.author",), (), {"metadata": {"author": {"name": "Eve", "born": 1970}}}),
        (("*.name",), (), {"metadata": {"author": {"name": "Eve"}}}),
        (("metadata.parts.a",), (), {"metadata": {"parts": [{"a": 1}]}}),
        (("meta*", "doc_id"), ("metadata.parts", "*.born"), {
            "doc_id": "fox",
            "metadata": {"kind": "mammal", "author": {"name": "Eve"}},
        }),
        ((), ("metadata*",), {"doc_id": "fox", "title": "Fox"}),
        (("nothing",), (), {}),
    ],
)  # fmt: skip
def test_the_source_is_filtered_by_paths(includes: tuple[str, ...], excludes: tuple[str, ...], shown: object) -> None:
    assert shown_part(SOURCE, SourceFilter(includes=includes, excludes=excludes)) == shown


def test_a_pattern_with_many_stars_takes_no_time() -> None:
    assert not matches("*a" * 2_000 + "b", "a" * 20_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(JSON | st.builds(lambda value: {"query": {"bool": {"must": value}}, "highlight": value, "_source": value}, JSON))
def test_any_json_is_read_or_refused(body: object) -> None:
    try:
        parse_search(body)
    except InputError:
        return


def test_ten_thousand_random_bodies_are_read_or_refused() -> None:
    chance = random.Random(20_261_124)
    read = 0
    for _ in range(10_000):
        body = json.loads(json.dumps(random_body(chance)))
        try:
            parse_search(body)
        except InputError:
            continue
        read += 1
    assert 1_000 < read < 9_000, "the bodies have to be of both kinds to test anything"
