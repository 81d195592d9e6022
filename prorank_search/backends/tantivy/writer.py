"""Writing into one version of an embedded index."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from prorank_search.analysis import preset
from prorank_search.backends.tantivy import versions
from prorank_search.backends.tantivy.fields import Analysis, analysis_of, require_usual_weights, to_tantivy
from prorank_search.backends.tantivy.opening import open_to_read, open_to_write
from prorank_search.backends.tantivy.searching import count_documents
from prorank_search.errors import BackendError, DocumentsRefusedError, InputError
from prorank_search.passages import is_first, parent_fact
from prorank_search.stored_documents import check_id
from prorank_search.types import Document

HEAP_BYTES = 64_000_000
THREADS = 1

_log = logging.getLogger(__name__)


class TantivyWriter:
    """Writes into one version of an index; see `prorank_search.protocols.IndexWriter`.

    Attributes:
        version: Name of the version, which a later run can resume.
    """

    def __init__(
        self, folder: Path, *, analysis: str, replace: bool, resume: str | None, metadata: Mapping[str, object]
    ) -> None:
        """Take the index's lock and open the version; see `prorank_search.protocols.IndexBackend.writer`."""
        self._folder = folder
        self._lock = versions.lock(folder)
        try:
            self.version = _choose_version(folder, analysis, metadata, replace=replace, resume=resume)
            self._analysis = _version_analysis(folder / self.version, analysis)
            self._writer = open_to_write(folder / self.version, self._analysis).writer(HEAP_BYTES, THREADS)
        except BaseException:
            self._lock.close()
            raise

    def add(self, documents: Iterable[Document]) -> int:
        """Add or replace documents by `doc_id`; return how many. Not durable before `commit`.

        Raises:
            DocumentsRefusedError: Some have an id that is empty or too long, or are no JSON; the others were added.
        """
        added = 0
        refused = {}
        for document in documents:
            try:
                entry = to_tantivy(document, self._analysis)
            except InputError as error:
                refused[document.doc_id] = str(error)
                continue
            self._replace(document)
            with _writing(self._folder):
                self._writer.add_document(entry)
            added += 1
        if refused:
            raise DocumentsRefusedError(refused)
        return added

    def delete(self, doc_ids: Iterable[str]) -> int:
        """Delete documents by id, with all their passages; return how many ids were given."""
        given = 0
        for doc_id in doc_ids:
            check_id(doc_id)
            self._writer.delete_documents_by_term("doc_id", doc_id)
            self._writer.delete_documents_by_term("facts", parent_fact(doc_id))
            given += 1
        return given

    def _replace(self, document: Document) -> None:
        """Take out what a document is to stand for; with its first passage go all old ones."""
        if document.parent_id is None:
            self._writer.delete_documents_by_term("doc_id", document.doc_id)
        elif is_first(document):
            self._writer.delete_documents_by_term("facts", parent_fact(document.parent_id))

    def begin_commit(self) -> Future[None]:
        """Commit; what is returned is done."""
        self.commit()
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def commit(self) -> None:
        """Make all that was added durable, so that a kill from here on loses nothing of it."""
        with _writing(self._folder):
            self._writer.commit()

    def publish(self, expected: int | None = None) -> None:
        """Commit, and let searches see this version from now on: one atomic step.

        Raises:
            BackendError: It does not hold as many documents as are expected.
        """
        self.commit()
        if expected is not None and versions.history(self._folder)[-1:] != [self.version]:
            _require_count(self._folder / self.version, self._analysis, expected)
        versions.publish(self._folder, self.version)
        _log.info("index %s: %s is published", self._folder.name, self.version)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Release the index's lock. What was not committed is dropped."""
        try:
            self._writer.rollback()
            self._writer.wait_merging_threads()
        finally:
            self._lock.close()


def _require_count(version: Path, analysis: Analysis, expected: int) -> None:
    in_passages = "passages" in versions.read_info(version).metadata
    count = count_documents(open_to_read(version, analysis).searcher(), in_passages=in_passages)
    if count != expected:
        message = (
            f"a new version holds {count:,} documents and {expected:,} were written: it is not published; "
            "ingest again with --replace"
        )
        raise BackendError(message)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        message = f"cannot write into index {folder.name!r} at {folder} ({error}): is the disk full?"
        raise BackendError(message) from error


def _choose_version(
    folder: Path, analysis: str, metadata: Mapping[str, object], *, replace: bool, resume: str | None
) -> str:
    if resume is not None:
        if resume not in versions.versions(folder):
            message = f"index {folder.name!r} has no version {resume!r} to go on with: start again from the beginning"
            raise InputError(message)
        return resume
    history = versions.history(folder)
    if history and not replace:
        return history[-1]
    require_usual_weights(metadata)
    return versions.create_version(folder, preset(analysis).name, metadata)


def _version_analysis(version: Path, analysis: str) -> Analysis:
    kept = versions.read_info(version).analysis
    if analysis not in (kept, "auto"):
        message = (
            f"index {version.parent.name!r} was made with the analysis {kept!r}, not {analysis!r}: "
            "leave it as it is, or ingest again with --replace"
        )
        raise InputError(message)
    return analysis_of(preset(kept))
