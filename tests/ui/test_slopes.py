"""The picture of all movements."""

from __future__ import annotations

from prorank_search.types import Document, RescoredHit
from prorank_ui.compare.pairing import pair
from prorank_ui.compare.slopes import slopes


def hit(doc_id: str, rank: int, first_stage_rank: int) -> RescoredHit:
    return RescoredHit(Document(doc_id, "A dog.", title="Dogs"), 1.0 / rank, rank, first_stage_rank, 1.0)


def test_documents_of_one_title_and_sides_of_one_name_are_told_apart() -> None:
    left, right = [hit("a", 1, 1), hit("b", 2, 2)], [hit("b", 1, 2), hit("a", 2, 1)]
    drawn = slopes(pair(left, right), "tiny", "tiny").to_dict()
    (rows,) = drawn["datasets"].values()
    assert drawn["encoding"]["detail"]["field"] == "id"
    assert {(row["id"], row["side"], row["rank"], row["movement"]) for row in rows} == {
        ("b", "left: tiny", 2, "rose"),
        ("b", "right: tiny", 1, "rose"),
        ("a", "left: tiny", 1, "fell"),
        ("a", "right: tiny", 2, "fell"),
    }
