"""What an ingest would do, without doing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice

from prorank_ingest.passages import passages
from prorank_ingest.run import SAMPLE_RECORDS, Job, Record, analysis_of, metadata_of
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, IndexBackend, Reader
from prorank_search.types import Document

_SHOWN = 5
_SHOWN_CHARACTERS = 500


def preview(job: Job, reader: Reader, backend: IndexBackend) -> dict[str, object]:
    """Return what a new index of a job would be made with, how its first document is cut and analysed. Only reads.

    `sample` in it: of the first records, how many are usable and how many of those share another one's id; the first
    documents as they would go in, and what is wrong with the first bad ones.

    Raises:
        InputError: No document is among the first records.
    """
    sample = list(islice(reader.read(0), SAMPLE_RECORDS))
    document = next((record for record in sample if isinstance(record, Document)), None)
    if document is None:
        raise InputError(f"none of the first {len(sample)} records of {job.source!r} is a document")
    analysis = analysis_of(job, None, None, sample)
    cut = [passage.text for passage in passages(document, job.passages)] if job.passages else None
    return {
        "index": job.index,
        "sample": _told(sample),
        "document": asdict(document),
        "passages": cut,
        **backend.preview(analysis, document, metadata_of(job, job.passages)),
    }


def _told(sample: Sequence[Record]) -> dict[str, object]:
    documents = [asdict(record) for record in sample if isinstance(record, Document)]
    duplicates = len(documents) - len({document["doc_id"] for document in documents})
    bad = [
        asdict(replace(record, record=record.record[:_SHOWN_CHARACTERS]))
        for record in sample
        if isinstance(record, BadRecord)
    ]
    counts = {"records": len(sample), "usable": len(documents), "duplicates": duplicates}
    return {**counts, "documents": documents[:_SHOWN], "bad_records": bad[:_SHOWN]}
