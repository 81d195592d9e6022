"""The engines as a backend that is filled: a writer for an index, its versions, the way back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from prorank_search.backends.engines import adoption, catalog, versions
from prorank_search.backends.engines.analysis import analysis_for, index_body
from prorank_search.backends.engines.catalog import NOT_OURS
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.backends.engines.faults import error_of
from prorank_search.backends.engines.search import EngineSearch
from prorank_search.backends.engines.versions import Target, Version
from prorank_search.backends.engines.writer import EngineWriter
from prorank_search.errors import InputError
from prorank_search.passages import first_passage_id
from prorank_search.protocols import IndexInfo
from prorank_search.storage import write_lock
from prorank_search.types import Document

_NOT_READY = 503


class EngineIndexes(EngineSearch):
    """An engine's indexes; see `prorank_search.protocols.IndexBackend`.

    One writes into an index at a time; that holds for the users of one `home`. Two machines do no harm to each other's
    documents, since a newer write always wins, but the one that publishes deletes what the other has not yet published.
    """

    def __init__(self, engine: Engine, home: Path) -> None:
        """Use the indexes of a connected engine; locks lie under `home`."""
        super().__init__(engine)
        self._locks = home / "locks" / hashlib.sha256(engine.where.encode()).hexdigest()[:8]

    def writer(
        self,
        index: str,
        *,
        analysis: str,
        replace: bool,
        resume: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> EngineWriter:
        """Open `index` for writing; see `prorank_search.protocols.IndexBackend.writer`.

        Raises:
            IndexLockedError: Another writer is open.
            InputError: The name cannot be an index name, the index is somebody else's, or its analysis differs.
        """
        lock = self._lock(index)
        try:
            return EngineWriter(
                self.engine, self._target(index, analysis, metadata or {}, replace=replace, resume=resume), lock
            )
        except BaseException:
            lock.close()
            raise

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched, by name: ours by their alias, those of others by their own name."""
        return catalog.indexes(versions.patient(self.engine))

    def published(self, index: str) -> IndexInfo | None:
        """Return what `indexes` says of one index; None: there is none. Needs no right to others."""
        return catalog.published(versions.patient(self.engine), index)

    def existing(self, index: str, doc_ids: Sequence[str]) -> set[str]:
        """Return those of some ids under which an index has a document, written a moment ago or long since."""
        if not doc_ids:
            return set()
        stored_as = first_passage_id if self.mapping(index).in_passages else str
        by_stored = {stored_as(doc_id): doc_id for doc_id in doc_ids}
        body = {"ids": list(by_stored)}
        engine = versions.patient(self.engine)
        found = engine.request("POST", path(index, "_mget"), body, params={"_source": False})["docs"]
        faults = [each["error"] for each in found if "error" in each]
        if faults:
            raise error_of(_NOT_READY, {"error": faults[0]}, f"a look for documents in {index!r}", self.engine.where)
        return {by_stored[each["_id"]] for each in found if each["found"]}

    def versions(self, index: str) -> list[str]:
        """List the versions of an index, oldest first, published or not; none where there is no such index."""
        return [version.name for version in versions.of_index(self.engine, index)]

    def rollback(self, index: str) -> str:
        """Publish the version before the present one; return its name."""
        with self._lock(index):
            return versions.rollback(self.engine, index)

    def prune(self, index: str) -> list[str]:
        """Delete every version but the published one; return their names."""
        with self._lock(index):
            present = versions.require_published(self.engine, index)
            doomed = [each for each in versions.of_index(self.engine, index) if each.mark and each != present]
            versions.sweep(self.engine, doomed)
        return [each.name for each in doomed]

    def adopt(self, index: str) -> list[str]:
        """Allow `writer` to write into an index that somebody else made; return what that changed."""
        with self._lock(index):
            return adoption.adopt(self.engine, index)

    def preview(self, analysis: str, document: Document, metadata: Mapping[str, object]) -> dict[str, object]:
        """Return settings and mappings of a new index, and a document's terms in it."""
        chosen = analysis_for(self.engine, analysis)
        body: dict[str, Any] = index_body(chosen, meta=metadata)
        defined = body["settings"]["index"].get("analysis", {})
        texts = {"title": document.title, "text": document.text}
        terms = {name: self._terms(chosen.analyzers[name], defined, text) for name, text in texts.items()}
        return {"analysis": chosen.name, "notice": chosen.notice, **body, "terms": terms}

    def delete(self, index: str) -> None:
        """Delete the index with all its versions.

        Raises:
            IndexNotFoundError: There is none.
            InputError: Somebody else made it.
        """
        with self._lock(index):
            found = versions.of_index(self.engine, index)
            if not found:
                versions.require_published(self.engine, index)  # raises: there is nothing at all
            foreign = [each.name for each in found if not each.mark]
            if foreign:
                raise InputError(f"index {foreign[0]!r} was not made by prorank: delete it by the engine's own means")
            versions.sweep(self.engine, found)

    def _lock(self, index: str) -> IO[str]:
        versions.check_name(index)
        return write_lock.take(self._locks / index, index)

    def _target(
        self, index: str, analysis: str, metadata: Mapping[str, object], *, replace: bool, resume: str | None
    ) -> Target:
        found = versions.of_index(self.engine, index)
        present = versions.published(index, found)
        if present is not None:
            adoption.require_ours(self.engine, index, present)
            if replace and not present.mark:
                raise InputError(f"index {index!r} is no alias, so --replace cannot swap it: choose another name")
        if resume is not None:
            return _resumed(index, analysis, resume, found)
        if present is not None and not replace:
            _check_analysis(index, analysis, present)
            return Target(index, present.name, hidden=False, in_passages=present.in_passages)
        created = versions.create(self.engine, index, analysis, found, metadata)
        return Target(index, created, hidden=True, in_passages="passages" in metadata)

    def _terms(self, analyzer: str, defined: dict[str, Any], text: str) -> list[str]:
        """Ask the engine for a text's terms, by an analyzer of its own or one that an index would define."""
        custom = defined.get("analyzer", {}).get(analyzer)
        how: dict[str, Any] = {"analyzer": analyzer}
        if custom:
            how = {
                "tokenizer": defined["tokenizer"].get(custom["tokenizer"], custom["tokenizer"]),
                "filter": [defined["filter"].get(name, name) for name in custom["filter"]],
            }
        tokens = self.engine.request("POST", path("_analyze"), {**how, "text": text})["tokens"]
        return [token["token"] for token in tokens]


def _resumed(index: str, analysis: str, resume: str, found: list[Version]) -> Target:
    left = next((each for each in found if each.name == resume and each.mark and not each.shown_as(index)), None)
    if left is None:
        raise InputError(f"index {index!r} has no version {resume!r} to go on with: start again from the beginning")
    _check_analysis(index, analysis, left)
    return Target(index, left.name, hidden=True, in_passages=left.in_passages)


def _check_analysis(index: str, analysis: str, version: Version) -> None:
    kept = str(version.mark.get("analysis", NOT_OURS))
    if analysis not in (kept, "auto"):
        raise InputError(
            f"index {index!r} was made with the analysis {kept!r}, not {analysis!r}: "
            "leave it as it is, or ingest again with --replace"
        )
