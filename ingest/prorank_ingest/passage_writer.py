"""A writer that cuts documents into passages on their way into an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Self

from prorank_ingest.passages import PassageSize, passages
from prorank_search.errors import DocumentsRefusedError
from prorank_search.passages import parent_id_of
from prorank_search.protocols import IndexWriter
from prorank_search.types import Document


class PassageWriter:
    """Writes the passages of documents; see `prorank_search.protocols.IndexWriter`, which counts and refuses documents.

    A document of which a passage is refused is not in the index with its other ones either.
    """

    def __init__(self, writer: IndexWriter, size: PassageSize) -> None:
        """Write through `writer`, which is entered and left with this one."""
        self._writer = writer
        self._size = size

    @property
    def version(self) -> str:
        """Name of the version that is written into."""
        return self._writer.version

    def add(self, documents: Iterable[Document]) -> int:
        """Add or replace documents by `doc_id`; return how many.

        Raises:
            DocumentsRefusedError: Some of them cannot be in this index; all the others were added.
        """
        added: list[str] = []

        def cut() -> Iterator[Document]:
            for document in documents:
                added.append(document.doc_id)
                yield from passages(document, self._size)

        self._whole(lambda: self._writer.add(cut()))
        return len(added)

    def delete(self, doc_ids: Iterable[str]) -> int:
        """Delete documents with all their passages; return how many ids were given."""
        return self._writer.delete(doc_ids)

    def begin_commit(self) -> Future[None]:
        """Commit; what is returned is done: of a document that is refused nothing may follow before it is taken out."""
        done: Future[None] = Future()
        try:
            self.commit()
            done.set_result(None)
        except DocumentsRefusedError as error:
            done.set_exception(error)
        return done

    def commit(self) -> None:
        """Make all that was added durable.

        Raises:
            DocumentsRefusedError: Some of it cannot be in this index; the rest is.
        """
        try:
            self._whole(self._writer.commit)
        except DocumentsRefusedError:
            self._writer.commit()
            raise

    def publish(self, expected: int | None = None) -> None:
        """Commit, and let searches see this version from now on."""
        self._writer.publish(expected)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        """Release the index's lock. What was not committed is dropped."""
        self._writer.__exit__(*exc)

    def _whole(self, step: Callable[[], object]) -> None:
        """Run a step; where passages are refused, take out the documents that they are parts of, and name these."""
        try:
            step()
        except DocumentsRefusedError as error:
            reasons = {parent_id_of(passage_id): reason for passage_id, reason in error.reasons.items()}
            details = {parent_id_of(passage_id): detail for passage_id, detail in error.details.items()}
            self._writer.delete(doc_id for doc_id in reasons if doc_id)
            raise DocumentsRefusedError(reasons, details) from error
