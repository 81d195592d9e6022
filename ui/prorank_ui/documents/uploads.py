"""Uploaded files on disk: each upload a folder of its own under the home, where `prorank ingest` reads it.

home/uploads/20261124-183100-a1b2c3/handbook.csv
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from prorank_search.errors import ConfigError, InputError, TooLargeError

DATA = ("jsonl", "csv", "tsv")
"""Files of many documents: one of them is an upload."""
TEXTS = ("txt", "md", "pdf")
"""Files that are a document each, PDFs one a page: an upload holds any number of them."""
LARGEST_MB = 200
"""Bound of an upload, all its files together: Streamlit holds it in memory until it is on disk."""

_CHUNK = 1 << 20
_LONGEST_NAME = 100
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_LEFT_OUT = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Uploaded(Protocol):
    """A file as a browser sent it."""

    @property
    def name(self) -> str:
        """Its name there; nothing in it can be trusted."""
        ...

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload on disk.

    Attributes:
        upload_id: Name of its folder.
        source: What `prorank ingest` is given: the data file, or the folder of texts.
        names: Its files.
        size_bytes: What they take together.
    """

    upload_id: str
    source: Path
    names: tuple[str, ...]
    size_bytes: int


def keep(files: Sequence[Uploaded], home: Path, most_bytes: int = LARGEST_MB * 1_000_000) -> Upload:
    """Write uploaded files into a new folder, a chunk at a time.

    Args:
        files: Either one data file or texts.
        home: The folder of this installation.
        most_bytes: What they may take together.

    Raises:
        InputError: A file has no name or an ending that is not read, or a data file is not alone.
        TooLargeError: They are larger than that.
        ConfigError: The folder cannot be written to.
    """
    names = _distinct(safe_name(file.name) for file in files)
    if len(names) > 1 and any(_ending(name) in DATA for name in names):
        raise InputError(f"{', '.join(names)[:200]}: upload a JSONL, CSV or TSV file alone, texts and PDFs together")
    upload_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder = _root(home) / upload_id
    try:
        folder.mkdir(parents=True)
        left = most_bytes
        for file, name in zip(files, names, strict=True):
            left = _write(file, folder / name, left)
    except TooLargeError:
        shutil.rmtree(folder)
        raise
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ConfigError(f"the upload cannot be written to {folder}: {error}") from error
    return find(home, upload_id)


def find(home: Path, upload_id: str) -> Upload:
    """Return an upload that was kept.

    Raises:
        InputError: There is none of that id.
    """
    folder = _root(home) / upload_id
    paths = sorted(folder.iterdir()) if _ID.fullmatch(upload_id) and folder.is_dir() else []
    if not paths:
        raise InputError(f"there is no upload {upload_id[:100]!r}: upload the file again")
    alone = len(paths) == 1 and _ending(paths[0].name) in DATA
    size = sum(path.stat().st_size for path in paths)
    return Upload(upload_id, paths[0] if alone else folder, tuple(path.name for path in paths), size)


def kept(home: Path) -> list[Upload]:
    """List the uploads on disk, the newest first."""
    names = sorted((path.name for path in _root(home).glob("*") if _ID.fullmatch(path.name)), reverse=True)
    return [find(home, name) for name in names if any((_root(home) / name).iterdir())]


def delete(home: Path, upload_ids: Collection[str]) -> None:
    """Delete uploads; what is no upload's id is left alone."""
    for upload_id in upload_ids:
        if _ID.fullmatch(upload_id):
            shutil.rmtree(_root(home) / upload_id, ignore_errors=True)


def safe_name(name: str) -> str:
    r"""Return the name that a file gets on disk: no folders, nothing hidden, an ending that can be read.

    Raises:
        InputError: Nothing is left of it, or the ending is another one.

    Example:
        >>> safe_name("..\\..\\etc/.hidden.CSV")
        'hidden.csv'
    """
    bare = PurePosixPath(_LEFT_OUT.sub("", name).replace("\\", "/")).name.strip(". ")
    stem, _, ending = bare.rpartition(".")
    if not stem.strip(". ") or ending.lower() not in DATA + TEXTS:
        known = ", ".join(f".{ending}" for ending in DATA + TEXTS)
        raise InputError(f"{name[:100]!r} cannot be read: upload files that end in {known}")
    short = stem.encode()[:_LONGEST_NAME].decode(errors="ignore").strip()
    return f"{short}.{ending.lower()}"


def _distinct(names: Iterable[str]) -> list[str]:
    """Return the names with a number before the ending of those that came before."""
    taken: list[str] = []
    for name in names:
        stem, _, ending = name.rpartition(".")
        number, distinct = 1, name
        while distinct.casefold() in {other.casefold() for other in taken}:
            number += 1
            distinct = f"{stem}-{number}.{ending}"
        taken.append(distinct)
    return taken


def _write(file: Uploaded, path: Path, left: int) -> int:
    """Write a file; return how many bytes the upload may still take."""
    with path.open("xb") as written:
        while chunk := file.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise TooLargeError("the upload is too large: give the file to `prorank ingest`, which has no bound")
            written.write(chunk)
    return left


def _ending(name: str) -> str:
    return name.rpartition(".")[2]


def _root(home: Path) -> Path:
    return home / "uploads"
