"""One writer an index on this machine: a file that is locked while somebody writes."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from prorank_search.errors import BackendError, IndexLockedError
from prorank_search.storage.file_lock import hold


def take(path: Path, index: str) -> IO[str]:
    """Lock a file: held until the returned file is closed or the process ends, however it ends.

    Args:
        path: The file, which need not exist.
        index: The index that it stands for, for messages.

    Raises:
        IndexLockedError: Somebody else holds it.
        BackendError: Nothing can be written there.
    """
    try:
        return hold(path, wait_s=0)
    except BlockingIOError as error:
        message = f"index {index!r} has another writer open: wait until that ingest ends, then try again"
        raise IndexLockedError(message) from error
    except OSError as error:
        message = f"index {index!r} cannot be changed, since {path} cannot be written to: {error.strerror}"
        raise BackendError(message) from error
