"""What every backend must do that can hold an index of passages."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prorank_search.passages import passage_of
from prorank_search.protocols import IndexBackend, IndexInfo
from prorank_search.types import Document, Hit, Query, SearchRequest

_FOX = Document("fox", "A fox sleeps. A fox eats an egg, an egg and an egg. It runs.", "Animals", {"kind": "mammal"})
_HEN = Document("hen", "A hen lays an egg. It pecks.", "Animals", {"kind": "bird"})
_OWL = Document("owl", "An owl flies.", "Animals", {"kind": "bird"})
_PASSAGES = (
    passage_of(_FOX, 0, 13),
    passage_of(_FOX, 14, 51),
    passage_of(_FOX, 52, 60),
    passage_of(_HEN, 0, 18),
    passage_of(_HEN, 19, 28),
    passage_of(_OWL, 0, 13),
)
_INDEX = "farm"


class PassagesContract:
    """What every backend must do that can hold an index of passages; give it a `backend` fixture that starts empty."""

    @pytest.fixture
    def backend(self) -> IndexBackend:
        """Return the backend under test."""
        raise NotImplementedError

    @pytest.fixture
    def farm(self, backend: IndexBackend) -> IndexBackend:
        """Fill an index with passages of three documents."""
        _add(backend, _PASSAGES)
        return backend

    def test_a_hit_is_a_document_with_the_text_of_its_best_passage(self, farm: IndexBackend) -> None:
        """Under the document's id, with its title and metadata, and the place of the passage."""
        fox, hen = _search(farm, "egg")
        assert fox.document == Document("fox", _PASSAGES[1].text, "Animals", {"kind": "mammal"}, None, (14, 51))
        assert (hen.document.doc_id, hen.document.text) == ("hen", "A hen lays an egg.")
        assert fox.score > hen.score

    def test_each_document_comes_with_its_best_passages(self, farm: IndexBackend) -> None:
        """As many as are asked for and match, the best first."""
        asked = _search(farm, "animals eat an egg", passages_per_hit=2)
        assert [[passage.doc_id for passage in hit.passages] for hit in asked[:2]] in (
            [["fox#14", "fox#52"], ["hen#0", "hen#19"]],
            [["fox#14", "fox#0"], ["hen#0", "hen#19"]],
        )
        assert all(len(hit.passages) == 1 for hit in _search(farm, "animals"))
        assert all(passage.parent_id == hit.document.doc_id for hit in asked for passage in hit.passages)

    def test_the_documents_that_are_there_are_told_from_those_that_are_not(self, farm: IndexBackend) -> None:
        """By their own ids, not by those of their passages."""
        assert farm.existing(_INDEX, ["fox", "cow", "fox#14", "owl"]) == {"fox", "owl"}

    @pytest.mark.parametrize("top_k", [1, 2, 3])
    def test_documents_are_counted_and_not_passages(self, farm: IndexBackend, top_k: int) -> None:
        """Even where all passages of one are better than the first of the next."""
        assert len(_search(farm, "animals fox", top_k=top_k)) == top_k

    def test_a_filter_looks_at_the_document(self, farm: IndexBackend) -> None:
        """Passages bear its metadata."""
        request = SearchRequest(_INDEX, Query("q", "egg"), filter={"kind": "bird"})
        assert [hit.document.doc_id for hit in farm.search(request).hits] == ["hen"]

    def test_highlights_are_those_of_the_passage_that_is_shown(self, farm: IndexBackend) -> None:
        """Words of other passages do not stand there."""
        request = SearchRequest(_INDEX, Query("q", "egg fox"))
        shown = [hit.document for hit in farm.search(request).hits]
        assert [set(words) for words in farm.highlights(request, shown)] == [{"fox", "egg"}, {"egg"}]

    def test_an_index_counts_documents_and_passages_apart(self, farm: IndexBackend) -> None:
        """And keeps what it was made with."""
        info = _info(farm)
        assert (info.documents, info.passages) == (3, 6)
        assert info.metadata["passages"] == {"tokens": 16, "overlap": 0}
        assert farm.count(_INDEX) == 3  # noqa: PLR2004 (fox, hen and owl)

    def test_a_document_that_comes_again_leaves_no_old_passage(self, farm: IndexBackend) -> None:
        """Also where it has fewer than before."""
        shorter = Document("fox", "A fox runs.", "Animals")
        _add(farm, [passage_of(shorter, 0, 11)])
        assert [hit.document.doc_id for hit in _search(farm, "egg")] == ["hen"]
        info = _info(farm)
        assert (info.documents, info.passages) == (3, 4)

    def test_a_document_is_deleted_with_all_its_passages(self, farm: IndexBackend) -> None:
        """By its own id."""
        with farm.writer(_INDEX, analysis="english", replace=False) as writer:
            writer.delete(["fox"])
            writer.publish()
        assert sorted(passage.doc_id for passage in farm.scan(_INDEX)) == ["hen#0", "hen#19", "owl#0"]

    def test_a_new_version_is_counted_in_documents(self, backend: IndexBackend) -> None:
        """Before it is published."""
        with backend.writer(_INDEX, analysis="english", replace=True, metadata=_METADATA) as writer:
            writer.add(_PASSAGES)
            writer.publish(3)
        assert backend.count(_INDEX) == 3  # noqa: PLR2004 (fox, hen and owl)


_METADATA = {"passages": {"tokens": 16, "overlap": 0}}


def _add(backend: IndexBackend, passages: Sequence[Document]) -> None:
    with backend.writer(_INDEX, analysis="english", replace=False, metadata=_METADATA) as writer:
        writer.add(passages)
        writer.publish()


def _search(backend: IndexBackend, text: str, *, top_k: int = 10, passages_per_hit: int = 1) -> Sequence[Hit]:
    request = SearchRequest(_INDEX, Query("q", text), top_k, passages_per_hit=passages_per_hit)
    return backend.search(request).hits


def _info(backend: IndexBackend) -> IndexInfo:
    return next(info for info in backend.indexes() if info.name == _INDEX)
