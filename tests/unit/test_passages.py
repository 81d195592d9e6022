from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorank_ingest.passages import PassageSize, passages, spans, tokens
from prorank_search.errors import InputError
from prorank_search.passages import stored_id, whole_documents
from prorank_search.sentences import sentences
from prorank_search.types import Document

ENGLISH = "The fox, e.g. Mr. Fox of fig. 3, ran 3.5 km. Did it? “Yes!” he said. J. R. Hen et al. agree.\n\nA new part"
TEXTS = st.text(alphabet=st.sampled_from("aB .!?。「」狐カ\n,1"), max_size=200)
SIZES = st.integers(2, 30).flatmap(lambda budget: st.builds(PassageSize, st.just(budget), st.integers(0, budget // 2)))


def cut(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentences(text)]


def test_english_sentences_end_at_full_stops_that_end_them() -> None:
    assert cut(ENGLISH) == [
        "The fox, e.g. Mr. Fox of fig. 3, ran 3.5 km.",
        "Did it?",
        "“Yes!”",
        "he said.",
        "J. R. Hen et al. agree.",
        "A new part",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "狐狸跑了三点五公里。它累了吗？是的！「我累了。」它说。",
            ["狐狸跑了三点五公里。", "它累了吗？", "是的！", "「我累了。」", "它说。"],
        ),
        (
            "狐は走った。疲れた？はい！『もう歩けない。』と言った。",
            ["狐は走った。", "疲れた？", "はい！", "『もう歩けない。』", "と言った。"],
        ),
        ("क्या? हाँ। ठीक।", ["क्या?", "हाँ।", "ठीक।"]),
    ],
)
def test_other_scripts_have_sentences_too(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(TEXTS, SIZES)
def test_passages_hold_all_of_a_text_and_no_more_than_the_budget(text: str, size: PassageSize) -> None:
    found = spans(text, size)
    starts = [start for start, _ in found]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert all(tokens(text[start:end]) <= size.tokens for start, end in found)
    covered = {position for start, end in found for position in range(start, end)}
    assert "".join(text[position] for position in range(len(text)) if position not in covered).strip() == ""


@given(TEXTS, SIZES)
def test_a_passage_repeats_no_more_than_the_overlap(text: str, size: PassageSize) -> None:
    found = spans(text, size)
    for (_, end), (start, _) in pairwise(found):
        assert tokens(text[start:end]) <= size.overlap


def test_passages_are_of_about_the_same_length() -> None:
    text = "A fox runs. " * 26
    lengths = [tokens(text[start:end]) for start, end in spans(text, PassageSize(tokens=100, overlap=0))]
    assert lengths == [52, 52]


def test_a_sentence_over_the_budget_is_cut_between_words() -> None:
    text = " ".join(["word"] * 50)
    assert [text[start:end] for start, end in spans(text, PassageSize(tokens=20, overlap=0))] == [
        " ".join(["word"] * 20),
        " ".join(["word"] * 20),
        " ".join(["word"] * 10),
    ]


def test_a_passage_bears_title_and_metadata_of_its_document() -> None:
    document = Document("fox", "It runs. It eats.", "Fox", {"legs": 4})
    assert passages(document, PassageSize(tokens=3, overlap=0)) == [
        Document("fox#0", "It runs.", "Fox", {"legs": 4}, "fox", (0, 8)),
        Document("fox#9", "It eats.", "Fox", {"legs": 4}, "fox", (9, 17)),
    ]


@pytest.mark.parametrize("text", ["", "  ", "It runs."])
def test_a_short_document_is_one_passage(text: str) -> None:
    (passage,) = passages(Document("fox", text, "Fox"), PassageSize())
    assert (passage.doc_id, passage.parent_id) == ("fox#0", "fox")


def test_what_a_hit_shows_is_stored_under_the_passages_id() -> None:
    for passage in passages(Document("fox", "It runs. It eats."), PassageSize(tokens=3, overlap=0)):
        shown = Document("fox", passage.text, passage_offsets=passage.passage_offsets)
        assert stored_id(shown) == stored_id(passage) == passage.doc_id


@pytest.mark.parametrize(("budget", "overlap"), [(100, 51), (0, 0), (100, -1)])
def test_an_overlap_leaves_room_for_something_new(budget: int, overlap: int) -> None:
    with pytest.raises(InputError, match="overlap"):
        PassageSize(budget, overlap)


@given(TEXTS, SIZES)
def test_passages_become_their_document_again(text: str, size: PassageSize) -> None:
    document = Document("fox", text, "Fox", {"legs": 4})
    (whole,) = whole_documents(reversed(passages(document, size)))
    assert (whole.doc_id, whole.title, whole.metadata, whole.parent_id) == ("fox", "Fox", {"legs": 4}, None)
    assert whole.text.split() == text.split()
