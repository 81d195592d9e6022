"""Files as sources: opening them, packed or not, and telling when they have changed."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from prorank_search.errors import InputError


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield a file's lines with their ends, unpacked where its name ends in `.gz`.

    Raises:
        InputError: The file cannot be read to its end.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read to its end: {error}") from error


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a string that changes when one of the files is changed, added or taken away."""
    digest = hashlib.sha256()
    for path in paths:
        stat = path.stat()
        digest.update(f"{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
