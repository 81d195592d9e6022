"""One ingest: records from a reader into an index, in batches, so that a kill at any moment loses none of them."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from prorank_ingest import dead_letters, sync
from prorank_ingest.checkpoint import Checkpoint, State
from prorank_ingest.passage_writer import PassageWriter
from prorank_ingest.passages import PassageSize
from prorank_ingest.progress import CountBad, Watch
from prorank_search.analysis import choose
from prorank_search.errors import DocumentsRefusedError, InputError
from prorank_search.protocols import BadRecord, Commit, IndexBackend, IndexInfo, IndexWriter, Reader, ReaderOptions
from prorank_search.types import BM25, Document

Record = Document | BadRecord
Step = Literal["opened", "committed", "saved", "published"]

BATCH_RECORDS = 5_000
FIRST_BATCH_RECORDS = 1_000
"""Few, so that the backend soon has something to do; each batch is twice the one before, up to `BATCH_RECORDS`."""
BATCH_CHARACTERS = 8_000_000
_COMMITS_AHEAD = 1
SAMPLE_RECORDS = 200
"""Records that are looked at before the analysis of a new index is chosen."""
_SAMPLE_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be ingested, and where.

    Attributes:
        source: The source as it was named.
        index: Name of the index.
        home: Folder for the checkpoint and the dead letters.
        options: What the reader was told.
        analysis: An analysis preset, or `auto`: the one that fits the first documents, or that the index has.
        replace: Fill a new version of the index and swap it in at the end.
        limit: Records that are read at most.
        engine: Address of the engine, where there is one.
        keep_existing: Leave documents as they are that the index has already.
        passages: Cut documents into passages of this size; None: as the index has it, a new one whole documents.
        sync: Delete what the index has and the source has not, once that was read to its end without a dead letter.
        max_deletes: Share of the index's documents that `sync` may delete, from 0 to 1; more is refused.
        k1: How much a word counts that stands in a document again and again (BM25); None: as the index has it, a new
            one the usual value. Embedded indexes have no other.
        b: How much a word counts less in a long document, from 0 to 1; None: as with `k1`.
    """

    source: str
    index: str
    home: Path
    options: ReaderOptions = field(default_factory=ReaderOptions)
    analysis: str = "auto"
    replace: bool = False
    limit: int | None = None
    engine: str = ""
    passages: PassageSize | None = None
    keep_existing: bool = False
    sync: bool = False
    max_deletes: float = 0.05
    k1: float | None = None
    b: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an ingest.

    Attributes:
        documents: Documents that went in, counted once for each id.
        kept: Documents that were left as they are, since the index had them already; 0 where that was not asked for.
        duplicates: Further documents with the id of an earlier one; the last one of each id is in the index.
        equal_texts: Documents that have title and text of an earlier one, under another id.
        deleted: Documents that were deleted, since the source has them no longer; None where that was not asked for, or
            not done because of dead letters.
        bad_records: Records that could not be ingested.
        dead_letters: The file that holds them; None where there are none.
        seconds: How long this run took.
        docs_per_s: Documents that this run read, a second.
        analysis: The index's analysis preset.
        resumed_from: Records that a killed run had ingested already; None where this run began at the beginning.
    """

    index: str
    source: str
    documents: int
    kept: int
    duplicates: int
    equal_texts: int
    deleted: int | None
    bad_records: int
    dead_letters: str | None
    seconds: float
    docs_per_s: float
    analysis: str
    resumed_from: int | None

    def to_json(self) -> dict[str, object]:
        """Return the report as plain values."""
        return asdict(self)


def ingest(
    job: Job,
    reader: Reader,
    backend: IndexBackend,
    *,
    watch: Watch = iter,
    on_step: Callable[[Step], object] = lambda _: None,
    count_bad: CountBad = lambda _: None,
) -> Report:
    """Upsert a source's documents by `doc_id`, from where a killed run of the same job stopped.

    Args:
        job: What goes where.
        reader: Reads the source.
        backend: Takes the documents.
        watch: Passes the documents through on their way into the index, for a progress bar.
        on_step: Told after each step that a kill could follow.
        count_bad: Told how many records became dead letters.

    Raises:
        InputError: The index cannot have that name or has passages of another size, the source cannot be read, or none
            of its records can be used: nothing is published then.
        IndexLockedError: Another process is writing into the index.
        BackendError: The backend failed.
    """
    started = time.monotonic()
    versions = backend.versions(job.index)
    published = backend.published(job.index) if versions else None
    _require_same_weights(job, published)
    with closing(Checkpoint(_checkpoint_path(job, backend), _fingerprint(job, reader))) as checkpoint:
        left = _usable(checkpoint.load(), versions, published, replace=job.replace)
        begin = left.position if left else 0
        records = islice(reader.read(begin), None if job.limit is None else max(job.limit - begin, 0))
        sample = list(islice(records, SAMPLE_RECORDS))
        if not left and not sample:
            raise InputError(f"{job.source!r} holds nothing to ingest; index {job.index!r} is as it was")
        analysis = analysis_of(job, left, published, sample)
        resume = left.version if left and (published is None or left.version != published.version) else None
        with _writer(job, backend, _passage_size(job, published), analysis, resume) as writer:
            state = left or checkpoint.start(
                State(writer.version, analysis, str(dead_letters.new_path(job.home, job.index)))
            )
            on_step("opened")
            upsert = published is not None and not job.replace
            existing = partial(backend.existing, job.index) if upsert and job.keep_existing else None
            way = _Way(job.source, writer, watch, checkpoint, on_step, count_bad, existing)
            state = _write(_batches(chain(sample, records)), way, state)
            _require_documents(job, state, checkpoint)
            deleted = None
            if job.sync and upsert and not state.bad_records:
                deleted = sync.delete_unseen(backend, writer, checkpoint, index=job.index, max_deletes=job.max_deletes)
            writer.publish(None if upsert else state.documents)
        on_step("published")
        equal_texts = checkpoint.equal_texts()
        checkpoint.finish()
    seconds = time.monotonic() - started
    return Report(
        index=job.index,
        source=job.source,
        documents=state.documents,
        kept=state.kept,
        duplicates=state.duplicates,
        equal_texts=equal_texts,
        deleted=deleted,
        bad_records=state.bad_records,
        dead_letters=state.dead_letters if state.bad_records else None,
        seconds=round(seconds, 3),
        docs_per_s=round((state.position - begin) / seconds, 1),
        analysis=state.analysis,
        resumed_from=left.position if left else None,
    )


def _usable(left: State | None, versions: list[str], published: IndexInfo | None, *, replace: bool) -> State | None:
    """Return what a killed run left, if the version that it wrote into is still the one that this run would fill."""
    if left is None:
        return None
    if published is not None and not replace:
        return left if left.version == published.version else None
    unpublished = set(versions) - {published.version if published else ""}
    return left if left.version in unpublished else None


def analysis_of(job: Job, left: State | None, published: IndexInfo | None, sample: Iterable[Record]) -> str:
    """Return the analysis that a job asks for, that its index has, or that fits the first records."""
    if job.analysis != "auto":
        return job.analysis
    if left:
        return left.analysis
    if published and not job.replace:
        return published.analysis
    documents = (record for record in sample if isinstance(record, Document))
    return choose(f"{document.title}\n{document.text[:_SAMPLE_CHARACTERS]}" for document in documents)


def metadata_of(job: Job, size: PassageSize | None) -> dict[str, object]:
    """Return what a new version keeps of how it was made."""
    return {**(size.to_metadata() if size else {}), **_weights(job)}


def _weights(job: Job) -> dict[str, float]:
    return {name: value for name, value in (("k1", job.k1), ("b", job.b)) if value is not None}


def _require_same_weights(job: Job, published: IndexInfo | None) -> None:
    if published is None or job.replace:
        return
    kept = {name: published.metadata.get(name, usual) for name, usual in BM25.items()}
    if not _weights(job).items() <= kept.items():
        has = " and ".join(f"{name} = {value}" for name, value in kept.items())
        raise InputError(f"index {job.index!r} has {has}: leave them as they are, or ingest again with --replace")


def _passage_size(job: Job, published: IndexInfo | None) -> PassageSize | None:
    """Return the size of the passages that go into the index: an existing version keeps its own."""
    if published is None or job.replace:
        return job.passages
    size = PassageSize.of(published.metadata)
    if job.passages not in (None, size):
        kept = f"passages of {size.tokens} tokens, {size.overlap} of them repeated" if size else "whole documents"
        raise InputError(f"index {job.index!r} has {kept}: leave it as it is, or ingest again with --replace")
    return size


def _writer(
    job: Job, backend: IndexBackend, size: PassageSize | None, analysis: str, resume: str | None
) -> IndexWriter:
    metadata = metadata_of(job, size)
    writer = backend.writer(job.index, analysis=analysis, replace=job.replace, resume=resume, metadata=metadata)
    return PassageWriter(writer, size) if size else writer


@dataclass(frozen=True, slots=True)
class _Way:
    """What every batch goes through; `existing` tells which documents the index has, where those are to be kept."""

    source: str
    writer: IndexWriter
    watch: Watch
    checkpoint: Checkpoint
    on_step: Callable[[Step], object]
    count_bad: CountBad
    existing: Callable[[Sequence[str]], set[str]] | None

    @property
    def ahead(self) -> int:
        """Batches whose commits may be under way while the next one is sent; none where the index is asked before."""
        return 0 if self.existing else _COMMITS_AHEAD


@dataclass(frozen=True, slots=True)
class _Sent:
    """A batch that was handed to the backend, what it refused at once, and the ids that it had and that were kept."""

    records: list[Record]
    refused: DocumentsRefusedError | None
    kept: set[str]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A batch whose commit was begun."""

    sent: _Sent
    commit: Commit


def _write(batches: Iterator[list[Record]], way: _Way, state: State) -> State:
    """Ingest the batches: while the backend works on one, the next is read, and handed over where it can be."""
    letters = dead_letters.DeadLetters(Path(state.dead_letters), state.dead_letters_bytes)
    begun: deque[_Begun] = deque()
    batch = next(batches, None)
    while batch is not None:
        sent = _send(batch, way)
        batch = next(batches, None)
        begun.append(_Begun(sent, way.writer.begin_commit()))
        while begun and (batch is None or len(begun) > way.ahead or begun[0].commit.done()):
            state = _settle(begun.popleft(), way, letters, state)
    return state


def _send(records: list[Record], way: _Way) -> _Sent:
    documents = {record.doc_id: record for record in records if isinstance(record, Document)}  # the last of each id
    kept = _kept(list(documents), way)
    new = [document for doc_id, document in documents.items() if doc_id not in kept]
    return _Sent(records, _refused(lambda: way.writer.add(way.watch(new))) if new else None, kept)


def _kept(doc_ids: Sequence[str], way: _Way) -> set[str]:
    """Return the ids whose documents are left as they are: the index had them before this run."""
    if way.existing is None:
        return set()
    existing = way.existing(doc_ids)
    kept = existing - way.checkpoint.ours(existing)
    way.checkpoint.mean(doc_id for doc_id in doc_ids if doc_id not in kept)
    return kept


def _settle(begun: _Begun, way: _Way, letters: dead_letters.DeadLetters, state: State) -> State:
    """Wait until a batch is committed, then note how far the run is."""
    sent = begun.sent
    refusals = [sent.refused, _refused(begun.commit.result)]
    reasons = {doc_id: reason for each in refusals if each for doc_id, reason in each.reasons.items()}
    details = {doc_id: detail for each in refusals if each for doc_id, detail in each.details.items()}
    way.on_step("committed")
    bad: list[dead_letters.Letter] = []
    written: list[Document] = []
    kept: list[Document] = []
    for record in sent.records:
        if isinstance(record, BadRecord):
            bad.append(dead_letters.of_record(record))
        elif record.doc_id in reasons:
            doc_id = record.doc_id
            bad.append(dead_letters.of_document(way.source, record, reasons[doc_id], details.get(doc_id, {})))
        else:
            (kept if record.doc_id in sent.kept else written).append(record)
    ahead = replace(
        state,
        position=state.position + len(sent.records),
        bad_records=state.bad_records + len(bad),
        dead_letters_bytes=letters.write(bad),
    )
    way.count_bad(len(bad))
    state = way.checkpoint.save(ahead, written, kept)
    way.on_step("saved")
    return state


def _refused(step: Callable[[], object]) -> DocumentsRefusedError | None:
    try:
        step()
    except DocumentsRefusedError as error:
        return error
    return None


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Cut a stream so that a batch fits into memory, however long its documents are."""
    batch: list[Record] = []
    characters, largest = 0, min(FIRST_BATCH_RECORDS, BATCH_RECORDS)
    for record in records:
        batch.append(record)
        characters += len(record.text if isinstance(record, Document) else record.record)
        if len(batch) >= largest or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters, largest = [], 0, min(2 * largest, BATCH_RECORDS)
    if batch:
        yield batch


def _require_documents(job: Job, state: State, checkpoint: Checkpoint) -> None:
    if not state.documents and not state.kept:
        checkpoint.finish()
        raise InputError(
            f"none of the {state.bad_records} records of {job.source!r} can be used; index {job.index!r} is as it was; "
            f"the reasons are in {state.dead_letters}"
        )


def _checkpoint_path(job: Job, backend: IndexBackend) -> Path:
    """Return the one place for an index: whatever is ingested next, no checkpoint of an earlier run outlives it."""
    return job.home / "ingest" / f"{job.index}@{_hash(type(backend).__module__, job.engine)[:8]}.sqlite"


def _fingerprint(job: Job, reader: Reader) -> str:
    """Return what must be the same for a run to go on; another reader or another release may count otherwise."""
    source = str(Path(job.source).resolve()) if Path(job.source).exists() else job.source
    reads = (version("prorank-search"), type(reader).__module__, reader.fingerprint())
    made_with = job.analysis, job.passages, *_weights(job).items()
    return _hash(source, reads, job.replace, job.options, job.limit, job.keep_existing, made_with)


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()
