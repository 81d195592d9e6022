"""The embedded indexes as a backend: search, count, scan, and the way to a writer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from prorank_search.analysis import preset
from prorank_search.backends.tantivy import versions
from prorank_search.backends.tantivy.fields import (
    SEARCHED,
    analysis_of,
    filtered,
    from_tantivy,
    require_usual_weights,
    text_query,
)
from prorank_search.backends.tantivy.reader import Reader, open_reader, state_of
from prorank_search.backends.tantivy.searching import addresses, best, best_parents, count_documents, holds
from prorank_search.backends.tantivy.writer import TantivyWriter
from prorank_search.errors import BackendError, IndexNotFoundError, InputError
from prorank_search.protocols import IndexInfo
from prorank_search.types import Document, Ranking, SearchRequest

_log = logging.getLogger(__name__)

_DEFAULT_FIELDS = dict.fromkeys(SEARCHED, 1.0)


class TantivyBackend:
    """Embedded indexes under one folder; see `prorank_search.protocols.IndexBackend`. Safe from many threads.

    Searches see every commit into the published version at once, whichever process made it.
    """

    def __init__(self, indexes: Path) -> None:
        """Use the indexes under `indexes`, which need not exist yet."""
        self._indexes = indexes
        self._readers: dict[str, Reader] = {}

    def search(self, request: SearchRequest) -> Ranking:
        """Return the best `request.top_k` documents: BM25 (k1 1.2, b 0.75) of each field, summed.

        Raises:
            IndexNotFoundError: The index does not exist.
            InputError: The request names a `body`, an unknown field or a `top_k` below 1.
            BackendError: The index cannot be read.
        """
        fields = _checked_fields(request)
        reader = self.reader(request.index)
        terms = reader.analysis.terms(request.query.text)
        searcher = reader.index.searcher()
        if not terms:
            return Ranking(request.query, ())
        query = text_query(terms, fields)
        if request.filter:
            query = filtered(query, request.filter)
        if reader.in_passages:
            hits = best_parents(searcher, query, request.top_k, request.passages_per_hit)
        else:
            hits = best(searcher, query, request.top_k)
        return Ranking(request.query, tuple(hits))

    def search_many(self, requests: Sequence[SearchRequest]) -> list[Ranking]:
        """Return one ranking for each request, in the same order."""
        return [self.search(request) for request in requests]

    def highlights(self, request: SearchRequest, documents: Sequence[Document]) -> list[tuple[str, ...]]:
        """Return for each document its words whose terms the query has, in order of appearance."""
        reader = self.reader(request.index)
        wanted = set(reader.analysis.terms(request.query.text))
        return [reader.highlighter.words(document, wanted) for document in documents]

    def names(self) -> list[str]:
        """List the indexes by name, without opening them."""
        return versions.index_names(self._indexes)

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched, by name; one that cannot be read is left out, with a warning."""
        return [info for name in self.names() for info in self._readable(name)]

    def describe(self, index: str) -> IndexInfo:
        """Return what `indexes` says of one of them.

        Raises:
            IndexNotFoundError: The index does not exist.
            BackendError: It cannot be read.
        """
        reader = self.reader(index)
        searcher = reader.index.searcher()
        return IndexInfo(
            name=index,
            documents=count_documents(searcher, in_passages=reader.in_passages),
            analysis=reader.info.analysis,
            size_bytes=versions.size_bytes(self._folder(index) / reader.version),
            created=reader.info.created,
            version=reader.version,
            metadata=reader.info.metadata,
            passages=searcher.num_docs if reader.in_passages else None,
        )

    def writer(
        self,
        index: str,
        *,
        analysis: str,
        replace: bool,
        resume: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> TantivyWriter:
        """Open `index` for writing; see `prorank_search.protocols.IndexBackend.writer`.

        With `analysis="auto"` an existing version keeps its own; a new one needs a preset's name
        (`prorank_search.analysis.choose` finds it).

        Raises:
            IndexLockedError: Another writer is open.
            InputError: The name cannot be an index name, or `analysis` differs from the existing version's.
        """
        folder = self._folder(index)
        return TantivyWriter(folder, analysis=analysis, replace=replace, resume=resume, metadata=metadata or {})

    def published(self, index: str) -> IndexInfo | None:
        """Return what `indexes` says of one index; None: there is none that can be read."""
        return next(self._readable(index), None) if versions.history(self._folder(index)) else None

    def versions(self, index: str) -> list[str]:
        """List the versions of an index, oldest first, published or not; none where there is no such index."""
        return versions.versions(self._folder(index))

    def rollback(self, index: str) -> str:
        """Publish the version before the present one; return its name."""
        versions.published(self._folder(index))
        with versions.lock(self._folder(index)):
            return versions.rollback(self._folder(index))

    def prune(self, index: str) -> list[str]:
        """Delete every version but the published one; return their names."""
        versions.published(self._folder(index))
        with versions.lock(self._folder(index)):
            return versions.prune(self._folder(index))

    def adopt(self, index: str) -> list[str]:
        """Return nothing: every embedded index is ours."""
        self._folder(index)  # raises where the name cannot be one
        return []

    def preview(self, analysis: str, document: Document, metadata: Mapping[str, object]) -> dict[str, object]:
        """Return the analysis of a new index, and a document's terms in it."""
        require_usual_weights(metadata)
        chosen = analysis_of(preset(analysis))
        terms = {"title": chosen.terms(document.title), "text": chosen.terms(document.text)}
        return {"analysis": chosen.preset.name, "terms": terms}

    def count(self, index: str) -> int:
        """Count the documents of the published version; of an index of passages those that they are parts of."""
        reader = self.reader(index)
        return count_documents(reader.index.searcher(), in_passages=reader.in_passages)

    def existing(self, index: str, doc_ids: Sequence[str]) -> set[str]:
        """Return those of some ids under which the published version has a document."""
        reader = self.reader(index)
        searcher = reader.index.searcher()
        return {doc_id for doc_id in doc_ids if holds(searcher, doc_id, in_passages=reader.in_passages)}

    def scan(self, index: str) -> Iterator[Document]:
        """Yield every document, or passage, of the published version as it is now, whatever is written meanwhile.

        The places of all documents are found at once: about 200 bytes a document.
        """
        searcher = self.reader(index).index.searcher()
        return (from_tantivy(searcher.doc(address)) for address in addresses(searcher))

    def reader(self, index: str) -> Reader:
        """Return the published version as it is now, open for reading.

        Raises:
            IndexNotFoundError: The index does not exist.
            BackendError: It cannot be read.
        """
        version = versions.published(self._folder(index))
        state = state_of(version)
        reader = self._readers.get(index)
        if reader is None or (reader.version, reader.state) != (version.name, state):
            reader = self._readers[index] = open_reader(version, state)
        return reader

    def delete(self, index: str) -> None:
        """Delete the index with all its versions."""
        folder = self._folder(index)
        if not versions.versions(folder):
            versions.published(folder)  # raises: there is nothing at all
        with versions.lock(folder):
            versions.delete(folder)
        self._readers.pop(index, None)

    def _folder(self, index: str) -> Path:
        return versions.index_folder(self._indexes, index)

    def _readable(self, index: str) -> Iterator[IndexInfo]:
        try:
            yield self.describe(index)
        except (BackendError, IndexNotFoundError) as error:  # damaged, or deleted meanwhile
            _log.warning("index %r is left out: %s", index, error)


def _checked_fields(request: SearchRequest) -> Mapping[str, float]:
    if request.body is not None or request.source is not None:
        message = f"index {request.index!r} is embedded and takes no query body and no `source`, but `fields`"
        raise InputError(message)
    if request.top_k < 1:
        message = f"top_k is {request.top_k}: ask for at least 1 hit"
        raise InputError(message)
    fields = _DEFAULT_FIELDS if request.fields is None else request.fields
    unknown = sorted(set(fields) - set(SEARCHED))
    if unknown or not fields or min(fields.values()) < 0:
        message = f"fields {dict(fields)} cannot be searched: an embedded index has title and text, boosts from 0 up"
        raise InputError(message)
    return fields
