"""Files as sources: opening them, packed or not, and telling when they have changed."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from prorank_ingest.meters import FileMeter
from prorank_search import plugins
from prorank_search.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = (".gz", ".zst")
"""Endings of the files that are unpacked while they are read."""
_CHUNK = 1 << 17
_ZSTANDARD_CHUNK = 1 << 10
"""Bytes that are unpacked at once: four of them can hold 128 KB, so that these are 32 MB at most."""
LONGEST_LINE = 1 << 26
"""Bytes of a line at most: it is held in memory."""


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
        InputError: The file cannot be read to its end, or a line is longer than `LONGEST_LINE`.
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
        yield from _bounded(
            path, io.BufferedReader(gzip.GzipFile(fileobj=file), _CHUNK) if path.suffix.lower() == ".gz" else file
        )


def _zstandard_lines(path: Path, meter: FileMeter) -> Iterator[bytes]:
    plugins.require("zstandard", needed_by=path.name)
    import zstandard

    with _to_its_end(path, zstandard.ZstdError), meter.watch(path.open("rb")) as packed:
        yield from _bounded(path, io.BufferedReader(_Pieces(_unpacked(packed)), _CHUNK))


def _bounded(path: Path, file: BinaryIO | io.BufferedReader) -> Iterator[bytes]:
    number = 1
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise InputError(f"{path}: line {number} is longer than {LONGEST_LINE:,} bytes: split it, or leave it out")
        yield line
        number += 1


def _unpacked(packed: BinaryIO) -> Iterator[bytes]:
    """Yield what is in one zstandard frame after the other; zstandard's own reader takes a cut-off one for a whole."""
    from zstandard import ZstdDecompressor

    frame = None
    while chunk := packed.read(_ZSTANDARD_CHUNK):
        while chunk:
            frame = frame or ZstdDecompressor().decompressobj()
            yield frame.decompress(chunk)
            chunk, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("it ends in the middle of a frame")


class _Pieces(io.RawIOBase):
    """A file whose content comes in pieces of any size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._piece:
            try:
                self._piece = memoryview(next(self._pieces))
            except StopIteration:
                return 0
        room = memoryview(buffer)
        read = min(len(room), len(self._piece))
        room[:read] = self._piece[:read]
        self._piece = self._piece[read:]
        return read


@contextmanager
def _to_its_end(path: Path, *faults: type[Exception]) -> Iterator[None]:
    expected: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *faults)
    try:
        yield
    except expected as error:
        raise InputError(f"{path} cannot be read to its end: {error}") from error
