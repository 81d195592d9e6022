from __future__ import annotations

import random

from prorank_search.types import Document, Hit
from prorank_training.negatives import hard_negatives, overlap, random_negatives

DOCUMENTS = [Document(str(rank), f"word{rank} text{rank}") for rank in range(1, 21)]
HITS = [Hit(document, 100.0 - rank) for rank, document in enumerate(DOCUMENTS)]


def ids(documents: list[Document]) -> list[int]:
    return [int(document.doc_id) for document in documents]


def test_hard_negatives_keep_within_their_ranks() -> None:
    assert ids(hard_negatives(HITS, [], (3, 6), 99, 0.8)) == [3, 4, 5, 6]


def test_hard_negatives_are_spread_over_the_ranks() -> None:
    assert ids(hard_negatives(HITS, [], (1, 20), 5, 0.8)) == [1, 4, 7, 10, 13]


def test_no_relevant_document_is_a_negative() -> None:
    relevant = [DOCUMENTS[3], DOCUMENTS[4]]
    assert ids(hard_negatives(HITS, relevant, (3, 6), 99, 0.8)) == [3, 6]
    drawn = random_negatives(DOCUMENTS, relevant, 18, random.Random(0))
    assert sorted(ids(drawn)) == [rank for rank in range(1, 21) if rank not in {4, 5}]


def test_another_copy_of_the_positive_is_no_negative() -> None:
    copy = Hit(Document("copy", "A fox, it runs; over fields!"), 200.0)
    kept = hard_negatives([copy, *HITS], [Document("p", "a fox it runs over fields")], (1, 2), 99, 0.8)
    assert ids(kept) == [1]


def test_chinese_overlaps_by_characters() -> None:
    assert overlap("河流发动", "河流测量") == 2 / 6


def test_random_negatives_from_a_small_collection_are_as_many_as_there_are() -> None:
    assert len(random_negatives(DOCUMENTS[:3], DOCUMENTS[:1], 9, random.Random(0))) == 2
