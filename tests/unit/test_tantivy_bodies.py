from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.backends.tantivy.body_search import Found, count, documents, search
from prorank_search.backends.tantivy.fragments import marked_fragments
from prorank_search.backends.tantivy.reader import Reader
from prorank_search.errors import InputError
from prorank_search.passages import passage_of
from prorank_search.query_dsl import HighlightField, parse_count, parse_search
from prorank_search.types import Document

NOTES = [
    Document("a", "red fox", metadata={"day": "2024-04-30", "price": 9.5, "tags": ["x", "y"]}),
    Document("b", "red red hen", metadata={"day": "2024-05-01", "price": 10, "ns": 2**60, "version": "1.10"}),
    Document("c", "blue fox", metadata={"day": "unknown", "price": 100, "ns": 2**60 + 1, "long": "z" * 300}),
]


def reader_of(folder: Path, entries: list[Document], analysis: str = "standard", *, passages: bool = False) -> Reader:
    backend = TantivyBackend(folder)
    metadata = {"passages": {"size": 1}} if passages else None
    with backend.writer("notes", analysis=analysis, replace=False, metadata=metadata) as writer:
        writer.add(entries)
        writer.publish()
    return backend.reader("notes")


@pytest.fixture
def notes(tmp_path: Path) -> Reader:
    return reader_of(tmp_path, NOTES)


def found(reader: Reader, query: object, **more: object) -> Found:
    return search(reader, parse_search({"query": query, **more}))


def ids(reader: Reader, query: object) -> list[str]:
    return sorted(hit.document.doc_id for hit in found(reader, query).hits)


@pytest.mark.parametrize(
    ("field", "bounds", "within"),
    [
        ("price", {"gte": 9.5, "lt": 100}, ["a", "b"]),
        ("price", {"gt": "9.5"}, ["b", "c"]),
        ("day", {"gte": "2024-05-01", "lt": "2025"}, ["b"]),
        ("day", {"lte": "2024-04-30"}, ["a"]),
        ("day", {"lt": 5}, ["a", "b"]),
        ("ns", {"gt": 2**60}, ["c"]),
        ("version", {"gte": "1.9"}, []),
        ("tags", {"gt": "x"}, ["a"]),
        ("nothing", {"gt": 1}, []),
        ("price", {}, ["a", "b", "c"]),
    ],
)
def test_a_range_compares_numbers_and_dates(
    notes: Reader, field: str, bounds: dict[str, object], within: list[str]
) -> None:
    assert ids(notes, {"range": {f"metadata.{field}": bounds}}) == within


def test_values_of_the_metadata_are_compared_whole(notes: Reader) -> None:
    assert ids(notes, {"term": {"metadata.tags": "y"}}) == ["a"]
    assert ids(notes, {"term": {"metadata.price": 10.0}}) == ["b"]
    assert ids(notes, {"terms": {"facts": ["price=100", "tags=x"]}}) == ["a", "c"]
    with pytest.raises(InputError, match="over 256 bytes: such values are not indexed"):
        ids(notes, {"term": {"metadata.long": "z" * 300}})


def test_too_many_different_words_are_refused(notes: Reader) -> None:
    assert found(notes, {"match": {"text": "red " * 50_000}}).total == 2
    with pytest.raises(InputError, match="more than 4096 different words") as caught:
        found(notes, {"match": {"text": " ".join(f"w{number}" for number in range(5_000))}})
    assert "w1" not in str(caught.value)


def test_hits_are_counted_no_further_than_was_asked_for(notes: Reader) -> None:
    counted = [found(notes, {"match_all": {}}, track_total_hits=most, size=1) for most in (2, 3, True, False)]
    assert [(each.total, each.exact) for each in counted] == [(2, False), (3, True), (3, True), (None, True)]


@pytest.mark.parametrize("analysis", ["chinese", "code"])
def test_all_words_of_a_text_can_be_asked_for_in_any_analysis(tmp_path: Path, analysis: str) -> None:
    texts = {"chinese": ("我在北京看书", "北京 看"), "code": ("os.pathJoin joins", "os.pathJoin")}
    text, query = texts[analysis]
    reader = reader_of(tmp_path, [Document("1", text), Document("2", "something else")], analysis)
    assert ids(reader, {"match": {"text": {"query": query, "operator": "and"}}}) == ["1"]


LONG = Document("long", "Whales sing. Owls hoot. Whales dive.", metadata={"kind": "list"})


@pytest.fixture
def parts(tmp_path: Path) -> Reader:
    cut = [passage_of(LONG, 0, 12), passage_of(LONG, 13, 23), passage_of(LONG, 24, 36)]
    return reader_of(tmp_path, [*cut, passage_of(Document("short", "Whales sleep."), 0, 13)], passages=True)


def test_documents_of_passages_are_found_counted_and_paged_through_once(parts: Reader) -> None:
    query = {"match": {"text": "whales"}}
    pages = [found(parts, query, **{"from": at, "size": 1}) for at in range(3)]
    assert sorted(hit.document.doc_id for page in pages for hit in page.hits) == ["long", "short"]
    assert {page.total for page in pages} == {2}
    assert count(parts, parse_count({"query": query})) == 2
    assert found(parts, query, min_score=0.1).total == 2


def test_passages_and_their_documents_are_there_by_id(parts: Reader) -> None:
    assert documents(parts, ["long"])["long"] == LONG
    assert documents(parts, ["long#13"])["long#13"].text == "Owls hoot."
    assert ids(parts, {"term": {"parent_id": "long"}}) == ["long"]
    assert ids(parts, {"ids": {"values": ["long#13"]}}) == ["long"]


def test_fragments_are_the_fullest_ones_in_the_order_of_the_text() -> None:
    text = "One fox. No animal at all in this one. A fox and a fox. The end, a fox."
    spans = [(at, at + 3) for at in range(len(text)) if text.startswith("fox", at)]
    how = HighlightField(pre_tag="[", post_tag="]", number_of_fragments=2, fragment_size=18)
    assert marked_fragments(text, spans, how) == ["One [fox].", "A [fox] and a [fox]."]


def test_a_long_sentence_is_cut_between_words_and_never_in_a_match() -> None:
    text = "word " * 40 + "matchmatchmatchmatch" + " word" * 40
    (fragment,) = marked_fragments(text, [(200, 220)], HighlightField(fragment_size=30))
    assert "<em>matchmatchmatchmatch</em>" in fragment
    assert len(fragment) < 70
    unspaced = "x" * 95 + "match" + "x" * 95
    (fragment,) = marked_fragments(unspaced, [(95, 100)], HighlightField(fragment_size=32))
    assert fragment.count("<em>match</em>") == 1
