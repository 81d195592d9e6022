"""The gateway's pure parts."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorank_search.profiles import Profile
from prorank_search.serving.gateway import texts
from prorank_search.serving.gateway.breaker import FAILURES, PAUSE_S, Breaker
from prorank_search.serving.gateway.exposure import is_exposed
from prorank_search.serving.gateway.json_spans import members, with_members, without_members
from prorank_search.serving.gateway.order import HitKey, Order, Place
from prorank_search.serving.gateway.pages import Pages
from prorank_search.serving.gateway.passthrough import is_read, parts_of
from prorank_search.serving.gateway.query_text import text_in
from prorank_search.serving.gateway.request import Search
from prorank_search.serving.gateway.rules import refusal
from prorank_search.stored_documents import to_source
from prorank_search.types import Document, SourcePaths, Status

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def order_of(size: int, block: str = "{}") -> Order:
    places = tuple(Place(HitKey("books", str(at)), at + 1, None, block) for at in range(size))
    return Order(places, Status("ok"))


@given(st.dictionaries(st.text(), VALUES, max_size=5), st.sampled_from([None, 1, " \n"]))
def test_an_object_is_read_as_json_reads_it_and_changed_nowhere_else(body: dict[str, Any], indent: Any) -> None:  # noqa: ANN401
    text = json.dumps(body, indent=indent)
    assert {key: span.value for key, span in members(text).items()} == body
    assert json.loads(with_members(text, {"prorank": "1.50"})) == {**body, "prorank": 1.5}
    gone = next(iter(body), "")
    assert json.loads(without_members(text, [gone])) == {key: value for key, value in body.items() if key != gone}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a"}', '{"a": 1 "b": 2}', "{1: 2}", "null"])
def test_what_is_no_object_has_no_members(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        members(text)


def test_a_breaker_lets_one_search_try_and_closes_when_it_works() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        assert breaker.lets_in()
        breaker.failed()
    assert (breaker.state, breaker.lets_in()) == ("open", False)
    now[0] += PAUSE_S
    assert (breaker.state, breaker.retry_after_s) == ("half_open", 0.0)
    assert [breaker.lets_in(), breaker.lets_in()] == [True, False]
    breaker.failed()
    assert breaker.state == "open"
    now[0] += PAUSE_S
    assert breaker.lets_in()
    breaker.worked()
    assert (breaker.state, breaker.lets_in()) == ("closed", True)


def test_orders_are_kept_for_a_while_and_up_to_a_bound() -> None:
    now = [0.0]
    pages = Pages(10.0, lambda: now[0], most_bytes=2500)
    pages.keep("a", order_of(2))
    pages.keep("b", order_of(2))
    assert pages.get("a") is not None
    pages.keep("c", order_of(2))
    assert (pages.get("b"), len(pages)) == (None, 2)
    now[0] = 10.0
    assert (pages.get("a"), pages.get("c"), len(pages)) == (None, None, 0)
    pages.keep("d", order_of(8))
    assert pages.get("d") is None


def test_orders_without_hits_are_bounded_too() -> None:
    pages = Pages(10.0, most_bytes=1500)
    for number in range(20):
        pages.keep(str(number), order_of(0))
    assert 0 < len(pages) < 10


def test_orders_count_as_long_as_their_passages_are() -> None:
    pages = Pages(10.0, most_bytes=100_000)
    for number in range(20):
        pages.keep(str(number), order_of(5, json.dumps({"passage": "狐" * 1000}, ensure_ascii=False)))
    assert 0 < len(pages) < 10


def test_one_search_at_a_time_makes_an_order() -> None:
    async def run() -> list[str]:
        pages, done = Pages(10.0), list[str]()

        async def make(name: str) -> None:
            async with pages.turn("key"):
                done.append(f"{name} begins")
                await asyncio.sleep(0)
                done.append(f"{name} ends")

        await asyncio.gather(make("first"), make("second"))
        return done

    assert asyncio.run(run()) == ["first begins", "first ends", "second begins", "second ends"]


@given(st.text())
def test_a_query_stays_exposed_when_the_percentage_grows(query: str) -> None:
    exposed = [is_exposed(query, percent) for percent in range(0, 101, 5)]
    assert exposed == sorted(exposed)
    assert exposed[-1]
    assert is_exposed(f"  {query.upper().lower()} ", 50) == is_exposed(query.upper().lower(), 50)


def test_about_that_share_of_the_queries_is_exposed() -> None:
    assert 30 < sum(is_exposed(f"query {number}", 5) for number in range(1000)) < 70


@pytest.mark.parametrize(
    ("method", "path", "reads"),
    [
        ("GET", "/", True),
        ("HEAD", "/books", True),
        ("GET", "/_cat/indices/books", True),
        ("POST", "/books/_pit", True),
        ("DELETE", "/_search/scroll", True),
        ("GET", "/%3Clogs-%7Bnow%2Fd%7D%3E/_search", True),
        ("POST", "/books", False),
        ("DELETE", "/books/_doc/1", False),
        ("POST", "/_aliases", False),
        ("GET", "/books/_flush", False),
        ("POST", "/_delete_by_query", False),
        ("POST", "/books/_update_by_query", False),
        ("POST", "/_scripts/x", False),
        ("PUT", "/_search/pipeline/x", False),
        ("PATCH", "/books/_search", False),
    ],
)
def test_reads_are_told_from_writes(method: str, path: str, reads: bool) -> None:  # noqa: FBT001
    parts = parts_of(path)
    assert parts is not None
    assert is_read(method, parts) is reads


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"match": {"title": "fox"}}, "fox"),
        ({"match": {"title": {"query": "fox", "boost": 2}}}, "fox"),
        ({"query_string": {"query": "red fox"}}, "red fox"),
        ({"bool": {"should": [{"match": {"a": "fox"}}, {"match_phrase": {"b": "hen house"}}]}}, "fox hen house"),
        ({"bool": {"must_not": {"match": {"a": "fox"}}, "filter": {"match": {"a": "hen"}}}}, ""),
        ({"function_score": {"query": {"nested": {"path": "a", "query": {"match": {"a.b": "fox"}}}}}}, "fox"),
        ({"hybrid": {"queries": [{"match": {"a": "fox"}}, {"neural": {"v": {"query_text": "fox"}}}]}}, "fox"),
        ({"term": {"a": "fox"}}, ""),
        ({"match": {str(at): f"{at:03}" for at in range(256)}}, " ".join(f"{at:03}" for at in range(256))),
        ({"match": {str(at): f"{at:03}" for at in range(257)}}, ""),
        ({"match": {"a": "fox " * 5000, "b": "fox " * 5000}}, ("fox " * 5000).strip()),
        ({"match": {"a": "fox " * 5000, "b": "hen"}}, ""),
        ({"bool": {"must": "fox"}}, ""),
        ("fox", ""),
    ],
)
def test_the_text_of_a_query_is_found_where_it_scores(query: object, text: str) -> None:
    assert text_in({"query": query}) == text


@pytest.mark.parametrize(
    ("sort", "refused"),
    [
        (None, False),
        ("_score", False),
        ([{"_score": {"order": "desc"}}], False),
        ([{"_score": "asc"}], True),
        (["_score", "year"], True),
        ({"year": "asc"}, True),
    ],
)
def test_only_the_order_by_score_can_be_rescored(sort: object, refused: bool) -> None:  # noqa: FBT001
    assert bool(refusal(Search("books", json.dumps({"sort": sort})))) is refused


@pytest.mark.parametrize(
    "template", [None, "{title} [{metadata[tags]}] {metadata[live]} {metadata[no]}{metadata[of.x]}{{}}: {text}"]
)
@pytest.mark.parametrize(
    "document",
    [
        Document("1", "It barks.", "Dog", {"tags": ["a", "b"], "live": True, "no": None, "of": {"x": 1.5}}),
        Document("2", "It barks."),
        Document("3", "", "Dog"),
        Document("4", ""),
    ],
)
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_profile_shows_the_model_the_text_that_searches_and_evaluations_show(
    template: str | None,
    document: Document,
    is_ours: bool,  # noqa: FBT001
) -> None:
    ours = to_source(document)
    if is_ours:
        profile, stored = Profile(template=template), ours
    else:
        profile = Profile(template=template, source=SourcePaths(title="of.name", text="body"))
        stored = {"of.name": document.title, "body": document.text, **document.metadata}
    assert texts.from_profile(profile, "empty", None).texts_of(stored) == (profile.text_of(document),)


def test_passages_are_no_longer_than_that_whichever_field_is_the_long_one() -> None:
    source = {"body": "It barks. " * 1300, "author": "Eve"}
    for has_head, fields in ((False, ("body", "author")), (True, ("author", "body"))):
        found = texts.from_fields(fields, "empty", 3).texts_of(source)
        assert [1000 < len(text) <= 1500 for text in found] == [True] * 3
        assert [text.startswith("Eve\n") for text in found] == [has_head] * 3


@pytest.mark.parametrize(("sort", "refused"), [("_score", False), ("_score:asc", True), ("year", True)])
def test_a_sort_in_the_address_counts_too(sort: str, refused: bool) -> None:  # noqa: FBT001
    assert bool(refusal(Search("books", "{}", {"sort": sort}))) is refused
