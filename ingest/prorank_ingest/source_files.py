"""Files as sources: opening them, packed or not, and telling when they have changed."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from prorank_ingest.meters import FileMeter
from prorank_search import plugins
from prorank_search.errors import InputError

PACKED = (".gz", ".zst")
"""Endings of the files that are unpacked while they are read."""
_CHUNK = 1 << 17


def with_packed(*endings: str) -> tuple[str, ...]:
    """Return the endings of files, plain and packed.

    Example:
        >>> with_packed(".csv")
        ('.csv', '.csv.gz', '.csv.zst')
    """
    return tuple(ending + packed for ending in endings for packed in ("", *PACKED))


def lines_of(path: Path, meter: FileMeter | None = None) -> Iterator[bytes]:
    """Yield a file's lines with their ends, unpacked where its name ends in `.gz` or `.zst`.

    Args:
        path: The file.
        meter: Told which file is read.

    Raises:
        InputError: The file cannot be read to its end.
        MissingExtraError: It is a `.zst`, and zstandard is not installed.
    """
    read = _zstandard_lines if path.suffix.lower() == ".zst" else _lines
    return read(path, meter or FileMeter())


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a string that changes when one of the files is changed, added or taken away."""
    digest = hashlib.sha256()
    for path in paths:
        stat = path.stat()
        digest.update(f"{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _lines(path: Path, meter: FileMeter) -> Iterator[bytes]:
    with _to_its_end(path), meter.watch(path.open("rb")) as file:
        yield from io.BufferedReader(gzip.GzipFile(fileobj=file), _CHUNK) if path.suffix.lower() == ".gz" else file


def _zstandard_lines(path: Path, meter: FileMeter) -> Iterator[bytes]:
    plugins.require("zstandard", needed_by=path.name)
    import zstandard

    begun = b""
    with _to_its_end(path, zstandard.ZstdError), meter.watch(path.open("rb")) as packed:
        for unpacked in _unpacked(packed):
            *lines, begun = (begun + unpacked).split(b"\n")
            yield from (line + b"\n" for line in lines)
    if begun:
        yield begun


def _unpacked(packed: BinaryIO) -> Iterator[bytes]:
    """Yield what is in one zstandard frame after the other; zstandard's own reader takes a cut-off one for a whole."""
    from zstandard import ZstdDecompressor

    frame = None
    while chunk := packed.read(_CHUNK):
        while chunk:
            frame = frame or ZstdDecompressor().decompressobj()
            yield frame.decompress(chunk)
            chunk, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("it ends in the middle of a frame")


@contextmanager
def _to_its_end(path: Path, *faults: type[Exception]) -> Iterator[None]:
    expected: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *faults)
    try:
        yield
    except expected as error:
        raise InputError(f"{path} cannot be read to its end: {error}") from error
