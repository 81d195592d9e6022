"""A version of an embedded index that was opened for reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tantivy

from prorank_search.analysis import preset
from prorank_search.backends.tantivy import versions
from prorank_search.backends.tantivy.fields import Analysis, analysis_of
from prorank_search.backends.tantivy.highlights import Highlighter
from prorank_search.backends.tantivy.opening import open_to_read
from prorank_search.errors import BackendError


@dataclass(frozen=True, slots=True)
class Reader:
    """A version that was opened for reading, and the state of the disk that it shows."""

    version: str
    info: versions.VersionInfo
    analysis: Analysis
    highlighter: Highlighter
    index: tantivy.Index
    state: tuple[int, int]

    @property
    def in_passages(self) -> bool:
        """Tell whether its entries are passages of documents."""
        return "passages" in self.info.metadata


def open_reader(version: Path, state: tuple[int, int]) -> Reader:
    """Open a version.

    Raises:
        BackendError: It cannot be read.
    """
    info = versions.read_info(version)
    analysis = analysis_of(preset(info.analysis))
    return Reader(version.name, info, analysis, Highlighter(analysis), open_to_read(version, analysis), state)


def state_of(version: Path) -> tuple[int, int]:
    """Return what changes on disk whenever something is committed into a version.

    Raises:
        BackendError: It cannot be read.
    """
    try:
        stat = (version / "meta.json").stat()
    except OSError as error:
        message = f"the index in {version} cannot be read ({error}): ingest again with --replace"
        raise BackendError(message) from error
    return stat.st_ino, stat.st_mtime_ns
