"""Deleting from an index what its source has no longer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from prorank_ingest.checkpoint import Checkpoint
from prorank_search.errors import InputError
from prorank_search.passages import document_ids
from prorank_search.protocols import IndexBackend, IndexWriter

_AT_ONCE = 1000


def delete_unseen(
    backend: IndexBackend, writer: IndexWriter, checkpoint: Checkpoint, *, index: str, max_deletes: float
) -> int:
    """Delete every document whose id did not come in this run; return how many these were.

    The index is walked twice, so that nothing is deleted before it is known how much that would be, and nothing has to
    be kept in memory.

    Raises:
        InputError: That would be a larger share of the index than `max_deletes`; nothing was deleted.
    """
    total = backend.count(index)
    doomed = sum(1 for _ in _unseen(backend, checkpoint, index))
    if doomed > total * max_deletes:
        raise InputError(
            f"{doomed:,} of the {total:,} documents of {index!r} are no longer in the source, which is more than "
            f"--max-deletes {max_deletes:g} allows: nothing was deleted, all else is in. Is the source complete? "
            f"Then give --max-deletes {min(1.0, (doomed * 1000 // total + 1) / 1000):g}"
        )
    return writer.delete(_unseen(backend, checkpoint, index)) if doomed else 0


def _unseen(backend: IndexBackend, checkpoint: Checkpoint, index: str) -> Iterator[str]:
    ids = document_ids(backend.scan(index))
    while some := list(islice(ids, _AT_ONCE)):
        yield from checkpoint.unseen(some)
