"""Opening a version's tantivy index: to write into it, or to read it, even where nothing can be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import tantivy

from prorank_search.backends.tantivy.fields import ANALYZER, Analysis, schema
from prorank_search.errors import BackendError


def open_to_write(version: Path, analysis: Analysis) -> tantivy.Index:
    """Open the index of a version, making it where there is none yet.

    Raises:
        BackendError: It cannot be opened.
    """
    with _explained(version):
        return _open(version, analysis)


def open_to_read(version: Path, analysis: Analysis) -> tantivy.Index:
    """Open the index of a version as it is now; later commits are not seen.

    tantivy makes a lock file beside what it reads. Where it cannot, it is given a folder of links to the files, which
    may go as soon as they are open.

    Raises:
        BackendError: It cannot be opened.
    """
    with _explained(version):
        try:
            return _load(version, analysis)
        except (ValueError, OSError):
            with TemporaryDirectory(prefix="prorank-") as links:
                for path in version.resolve().iterdir():
                    if path.suffix != ".lock":
                        Path(links, path.name).symlink_to(path)
                return _load(Path(links), analysis)


def _open(folder: Path, analysis: Analysis) -> tantivy.Index:
    index = tantivy.Index(schema(), path=str(folder), reuse=True)
    index.register_tokenizer(ANALYZER, analysis.analyzer)
    return index


def _load(folder: Path, analysis: Analysis) -> tantivy.Index:
    index = _open(folder, analysis)
    index.config_reader("manual")
    index.reload()
    return index


@contextmanager
def _explained(version: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        way_out = "ingest again with --replace"
        if not os.access(version, os.W_OK):
            way_out = "this user may only read there; it needs the right to read every file, and a TMPDIR to write to"
        message = f"cannot open the index in {version} ({error}): {way_out}"
        raise BackendError(message) from error
