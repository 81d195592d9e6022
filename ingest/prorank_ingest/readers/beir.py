"""BEIR folders: the corpus of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prorank_ingest.json_lines import read_json_lines
from prorank_ingest.meters import FileMeter
from prorank_ingest.records import Names
from prorank_ingest.source_files import fingerprint, lines_of
from prorank_search.beir import corpus_path, is_beir
from prorank_search.protocols import BadRecord, Extent, Reader, ReaderOptions
from prorank_search.types import Document


@dataclass(frozen=True, slots=True)
class BeirCorpus:
    """Reads the corpus of a BEIR folder; unlike `prorank_search.beir`, it goes on after a bad line."""

    folder: Path
    names: Names
    meter: FileMeter = field(default_factory=FileMeter)

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the documents in file order."""
        path = corpus_path(self.folder)
        return read_json_lines(lines_of(path, self.meter), str(path), self.names, start)

    def fingerprint(self) -> str:
        """Change when the corpus file does."""
        return fingerprint([corpus_path(self.folder)])

    def extent(self) -> Extent:
        """Measure the corpus file."""
        return self.meter.extent()


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of a folder that holds corpus.jsonl or corpus.jsonl.gz."""
    folder = Path(source)
    return BeirCorpus(folder, Names.of(options)) if is_beir(folder) else None
