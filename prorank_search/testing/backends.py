"""What every first stage must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from prorank_search.errors import BackendError, DocumentsRefusedError, InputError
from prorank_search.protocols import IndexBackend, SearchBackend
from prorank_search.types import Document, Query, Ranking, SearchRequest

DOCUMENTS = (
    Document("fox", "A quick brown animal jumps over a lazy dog.", "Foxes", {"kind": "mammal", "year": 2020}),
    Document(
        "whale", "The largest animal that ever lived swims in the sea.", "Whales", {"kind": "mammal", "year": 2021}
    ),
    Document("owl", "It sees well at night and hunts animal prey, mostly mice.", "Owls", {"kind": "bird"}),
    Document("notes", "Mice are small. So are notes without a title."),
)
"""The corpus of the suites, for an index with the `english` analysis."""

ODD_QUERIES = (
    "",
    "   ",
    '"',
    "fox AND (OR",
    "title:fox^2 +whale -owl",
    "a/b\\c",
    "[1 TO *}",
    "~?*",
    "😀",
    "\x00\u202e",
    "\udcff",
    "狐狸",
    "fox " * 3000,
)


def _search(
    backend: SearchBackend,
    index: str,
    text: str,
    *,
    top_k: int = 10,
    filter: Mapping[str, object] | None = None,
) -> Ranking:
    return backend.search(SearchRequest(index, Query("q", text), top_k, filter=filter))


def _ids(ranking: Ranking) -> list[str]:
    return [hit.document.doc_id for hit in ranking.hits]


class SearchBackendContract:
    """What every backend must do that can be searched.

    Give it two fixtures: `backend`, and `index`, the name of an index that holds `DOCUMENTS`.
    """

    @pytest.fixture
    def backend(self) -> SearchBackend:
        """Return the backend under test."""
        raise NotImplementedError

    @pytest.fixture
    def index(self) -> str:
        """Return the name of an index that holds `DOCUMENTS`."""
        raise NotImplementedError

    def test_the_document_with_the_words_of_the_query_comes_first(self, backend: SearchBackend, index: str) -> None:
        """BM25 finds by title and by text."""
        assert _ids(_search(backend, index, "whales in the sea"))[0] == "whale"
        assert _ids(_search(backend, index, "lazy dog"))[0] == "fox"

    def test_a_ranking_names_its_query_and_falls_in_score(self, backend: SearchBackend, index: str) -> None:
        """The order of a ranking is the order of its scores."""
        ranking = _search(backend, index, "animal mice")
        scores = [hit.score for hit in ranking.hits]
        assert ranking.query == Query("q", "animal mice")
        assert len(scores) == len(DOCUMENTS)
        assert scores == sorted(scores, reverse=True)

    @pytest.mark.parametrize("top_k", [1, 2])
    def test_no_more_than_top_k_hits_come_back(self, backend: SearchBackend, index: str, top_k: int) -> None:
        """And the first ones are the same."""
        everything = _ids(_search(backend, index, "animal mice"))
        assert _ids(_search(backend, index, "animal mice", top_k=top_k)) == everything[:top_k]

    def test_a_document_comes_back_whole(self, backend: SearchBackend, index: str) -> None:
        """Id, title, text and metadata are what was indexed."""
        assert _search(backend, index, "lazy dog").hits[0].document == DOCUMENTS[0]

    @pytest.mark.parametrize("text", ODD_QUERIES)
    def test_a_query_is_text_and_never_syntax(self, backend: SearchBackend, index: str, text: str) -> None:
        """Nothing that a person types is an error."""
        assert len(_search(backend, index, text).hits) <= len(DOCUMENTS)

    @pytest.mark.parametrize("text", ["", " ", "?!"])
    def test_a_query_without_words_finds_nothing(self, backend: SearchBackend, index: str, text: str) -> None:
        """Rather than everything."""
        assert _search(backend, index, text).hits == ()

    def test_a_word_that_stands_twice_counts_twice(self, backend: SearchBackend, index: str) -> None:
        """As in Lucene: long queries depend on it."""
        once = _search(backend, index, "dog").hits[0].score
        assert _search(backend, index, "dog dog").hits[0].score == pytest.approx(2 * once, rel=1e-3)

    def test_a_filter_keeps_the_documents_with_that_value(self, backend: SearchBackend, index: str) -> None:
        """Without changing their scores."""
        everything = {hit.document.doc_id: hit.score for hit in _search(backend, index, "animal").hits}
        birds = _search(backend, index, "animal", filter={"kind": "bird"})
        assert _ids(birds) == ["owl"]
        assert birds.hits[0].score == pytest.approx(everything["owl"])

    def test_a_filter_takes_any_of_several_values_and_every_key(self, backend: SearchBackend, index: str) -> None:
        """Values are alternatives, keys are conditions."""
        kinds: Sequence[str] = ["bird", "mammal"]
        assert set(_ids(_search(backend, index, "animal", filter={"kind": kinds}))) == {"fox", "whale", "owl"}
        assert _ids(_search(backend, index, "animal", filter={"kind": kinds, "year": 2021})) == ["whale"]

    def test_highlights_are_the_matching_words_as_they_stand(self, backend: SearchBackend, index: str) -> None:
        """For each document that is asked about, in the same order."""
        request = SearchRequest(index, Query("q", "fox jumping"))
        fox, whale = backend.highlights(request, DOCUMENTS[:2])
        assert set(fox) == {"Foxes", "jumps"}
        assert whale == ()
        assert backend.highlights(request, []) == []

    def test_many_requests_are_answered_in_order(self, backend: SearchBackend, index: str) -> None:
        """Each as it would be alone."""
        requests = [SearchRequest(index, Query(text, text)) for text in ("dog", "sea", "")]
        assert backend.search_many(requests) == [backend.search(request) for request in requests]

    def test_an_unknown_index_is_an_input_error_that_names_it(self, backend: SearchBackend) -> None:
        """A failure is never an empty list."""
        with pytest.raises(InputError, match="nowhere"):
            _search(backend, "nowhere", "dog")

    def test_an_index_is_listed_with_its_documents(self, backend: SearchBackend, index: str) -> None:
        """By name, with count and analysis."""
        listed = {info.name: info for info in backend.indexes()}
        assert listed[index].documents == len(DOCUMENTS)
        assert listed[index].analysis == "english"

    def test_one_index_is_told_of_as_the_list_tells_of_it(self, backend: SearchBackend, index: str) -> None:
        """And what does not exist is none, not an error."""
        (listed,) = [info for info in backend.indexes() if info.name == index]
        assert backend.published(index) == listed
        assert backend.published("nowhere") is None


class IndexBackendContract(SearchBackendContract):
    """What every backend must do that can be filled; give it a `backend` fixture that starts empty."""

    @pytest.fixture
    def backend(self) -> IndexBackend:
        """Return the backend under test."""
        raise NotImplementedError

    @pytest.fixture
    def index(self, backend: IndexBackend) -> str:
        """Fill an index with `DOCUMENTS`."""
        _fill(backend, DOCUMENTS)
        return "animals"

    def test_a_document_with_a_known_id_replaces_the_old_one(self, backend: IndexBackend, index: str) -> None:
        """Ingesting twice leaves no duplicates."""
        with backend.writer(index, analysis="english", replace=False) as writer:
            assert writer.add([*DOCUMENTS, Document("fox", "Now about sledges.")]) == len(DOCUMENTS) + 1
            writer.publish()
        assert backend.count(index) == len(DOCUMENTS)
        assert _ids(_search(backend, index, "sledge")) == ["fox"]
        assert _ids(_search(backend, index, "lazy dog")) == []

    def test_a_document_that_cannot_be_in_an_index_does_not_keep_the_others_out(
        self, backend: IndexBackend, index: str
    ) -> None:
        """It is named with a reason, once they are in."""
        without_id = Document("", "Nobody could replace it.")
        with backend.writer(index, analysis="english", replace=True) as writer:
            with pytest.raises(DocumentsRefusedError) as refused:
                writer.add([DOCUMENTS[0], without_id, DOCUMENTS[1]])
            writer.publish()
        assert list(refused.value.reasons) == [""]
        assert refused.value.reasons[""]
        assert {document.doc_id for document in backend.scan(index)} == {"fox", "whale"}

    def test_documents_that_have_only_a_title_are_found(self, backend: IndexBackend, index: str) -> None:
        """Collections of abstracts have some whose abstract is missing."""
        bare = Document("bare", "", "Unicorns")
        with backend.writer(index, analysis="english", replace=False) as writer:
            writer.add([bare])
            writer.publish()
        assert [hit.document for hit in _search(backend, index, "unicorn").hits] == [bare]

    def test_documents_are_deleted_by_id(self, backend: IndexBackend, index: str) -> None:
        """Ids that are not there do no harm."""
        with backend.writer(index, analysis="english", replace=False) as writer:
            writer.delete(["fox", "unicorn"])
            writer.publish()
        assert {document.doc_id for document in backend.scan(index)} == {"whale", "owl", "notes"}

    def test_an_index_is_not_seen_before_it_was_published(self, backend: IndexBackend) -> None:
        """A half-filled index would answer wrongly."""
        with backend.writer("animals", analysis="english", replace=False) as writer:
            writer.add(DOCUMENTS)
            writer.commit()
            assert "animals" not in _names(backend)
            with pytest.raises(InputError, match="animals"):
                _search(backend, "animals", "dog")

    def test_a_replacement_is_seen_when_it_is_published(self, backend: IndexBackend, index: str) -> None:
        """Until then searches see the old version."""
        with backend.writer(index, analysis="english", replace=True) as writer:
            writer.add([Document("new", "A dog.")])
            writer.commit()
            assert _ids(_search(backend, index, "dog")) == ["fox"]
            writer.publish()
            assert _ids(_search(backend, index, "dog")) == ["new"]

    def test_what_is_added_while_a_commit_is_under_way_belongs_to_the_next(
        self, backend: IndexBackend, index: str
    ) -> None:
        """Each tells of its own documents, in whatever order they are asked."""
        with backend.writer(index, analysis="english", replace=False) as writer:
            writer.add([Document("new", "A dog.")])
            first = writer.begin_commit()
            writer.add([Document("new", "A cat."), Document("newer", "A hen.")])
            second = writer.begin_commit()
            second.result()
            first.result()
            assert first.done()
            assert second.done()
            writer.publish()
        texts = {document.doc_id: document.text for document in backend.scan(index)}
        assert (texts["new"], texts["newer"], len(texts)) == ("A cat.", "A hen.", 2 + len(DOCUMENTS))

    def test_what_was_not_committed_is_dropped(self, backend: IndexBackend, index: str) -> None:
        """Leaving the writer is not a commit."""
        with backend.writer(index, analysis="english", replace=False) as writer:
            writer.add([Document("new", "A dog.")])
        assert backend.count(index) == len(DOCUMENTS)

    def test_a_run_goes_on_in_the_version_that_was_left_unpublished(self, backend: IndexBackend, index: str) -> None:
        """With all that was committed."""
        with backend.writer(index, analysis="english", replace=True) as writer:
            writer.add(DOCUMENTS[:1])
            writer.commit()
            left = writer.version
        with backend.writer(index, analysis="english", replace=True, resume=left) as writer:
            writer.add(DOCUMENTS[1:2])
            writer.publish()
        assert {document.doc_id for document in backend.scan(index)} == {"fox", "whale"}

    def test_one_writes_at_a_time_and_reading_goes_on(self, backend: IndexBackend, index: str) -> None:
        """The second writer is told which index it was; the first one's end frees it."""
        with backend.writer(index, analysis="english", replace=False):
            with pytest.raises(BackendError, match=index):
                backend.writer(index, analysis="english", replace=True)
            assert _ids(_search(backend, index, "dog")) == ["fox"]
        with backend.writer(index, analysis="english", replace=False) as writer:
            assert writer.add(DOCUMENTS) == len(DOCUMENTS)

    def test_a_rollback_returns_to_the_version_before(self, backend: IndexBackend, index: str) -> None:
        """Versions are listed oldest first."""
        _fill(backend, DOCUMENTS[:1])
        old, new = backend.versions(index)
        assert backend.rollback(index) == old != new
        assert backend.count(index) == len(DOCUMENTS)

    def test_a_new_version_that_does_not_hold_what_was_written_is_not_published(
        self, backend: IndexBackend, index: str
    ) -> None:
        """Searches see the old version then."""
        with backend.writer(index, analysis="english", replace=True) as writer:
            writer.add(DOCUMENTS[:2])
            with pytest.raises(BackendError, match="3"):
                writer.publish(expected=3)
            assert backend.count(index) == len(DOCUMENTS)
            writer.publish(expected=2)
        assert backend.count(index) == 2  # noqa: PLR2004

    def test_what_is_pruned_cannot_be_returned_to(self, backend: IndexBackend, index: str) -> None:
        """All versions but the published one go."""
        _fill(backend, DOCUMENTS[:1])
        old, new = backend.versions(index)
        assert backend.prune(index) == [old]
        assert backend.versions(index) == [new]
        assert backend.prune(index) == []
        with pytest.raises(InputError, match=index):
            backend.rollback(index)

    def test_an_index_of_ours_needs_no_adoption(self, backend: IndexBackend, index: str) -> None:
        """And one that does not exist has nothing to change."""
        assert backend.adopt(index) == []
        assert backend.adopt("nowhere") == []

    def test_a_preview_has_the_terms_of_a_document(self, backend: IndexBackend) -> None:
        """As a new index would have them."""
        preview = backend.preview("english", Document("1", "Dogs barking.", "Titles"), {})
        assert preview["terms"] == {"title": ["titl"], "text": ["dog", "bark"]}
        assert "animals" not in _names(backend)

    def test_the_ids_that_are_there_are_told_from_those_that_are_not(self, backend: IndexBackend, index: str) -> None:
        """Also of what was written last, and of what was deleted."""
        with backend.writer(index, analysis="english", replace=False) as writer:
            writer.add([Document("new/one", "A dog.")])
            writer.delete(["owl"])
            writer.commit()
            assert backend.existing(index, ["fox", "owl", "new/one", "unicorn"]) == {"fox", "new/one"}
            writer.publish()
        assert backend.existing(index, []) == set()

    def test_a_scan_yields_every_document_as_it_was(self, backend: IndexBackend, index: str) -> None:
        """Whatever is written meanwhile."""
        scanned = backend.scan(index)
        first = next(scanned)
        with backend.writer(index, analysis="english", replace=False) as writer:
            writer.delete([document.doc_id for document in DOCUMENTS])
            writer.publish()
        found = [first, *scanned]
        assert sorted(found, key=lambda each: each.doc_id) == sorted(DOCUMENTS, key=lambda each: each.doc_id)

    def test_a_deleted_index_is_gone(self, backend: IndexBackend, index: str) -> None:
        """With all its versions."""
        backend.delete(index)
        assert index not in _names(backend)
        with pytest.raises(InputError, match=index):
            backend.count(index)

    @pytest.mark.parametrize("name", ["", "Upper", "../up", ".hidden", "-dash", "a/b", "ä", "a b"])
    def test_a_bad_index_name_is_an_input_error(self, backend: IndexBackend, name: str) -> None:
        """Before anything is written."""
        with pytest.raises(InputError):
            backend.writer(name, analysis="english", replace=False)

    def test_an_existing_version_keeps_its_analysis(self, backend: IndexBackend, index: str) -> None:
        """Another one would make its documents impossible to find."""
        with pytest.raises(InputError, match="english"):
            backend.writer(index, analysis="code", replace=False)

    def test_an_index_that_is_not_published_yet_is_none(self, backend: IndexBackend) -> None:
        """Nobody can search it."""
        with backend.writer("farm", analysis="english", replace=False) as writer:
            writer.add(DOCUMENTS)
            writer.commit()
            assert backend.published("farm") is None


def _names(backend: SearchBackend) -> list[str]:
    return [info.name for info in backend.indexes()]


def _fill(backend: IndexBackend, documents: Sequence[Document]) -> None:
    with backend.writer("animals", analysis="english", replace=True) as writer:
        writer.add(documents)
        writer.publish()
