"""An embedded index by its name: `tantivy:articles`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from prorank_ingest.meters import RecordMeter
from prorank_ingest.source_files import fingerprint
from prorank_search.errors import ConfigError
from prorank_search.passages import whole_documents
from prorank_search.protocols import BadRecord, Extent, Reader, ReaderOptions
from prorank_search.types import Document

_PREFIX = "tantivy:"


@dataclass(frozen=True, slots=True)
class EmbeddedIndex:
    """Reads the published version of an index as it is at one moment."""

    indexes: Path
    index: str
    meter: RecordMeter = field(default_factory=RecordMeter)

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the documents in the order that they are stored in; of an index of passages whole ones.

        Raises:
            InputError: There is no such index.
            BackendError: It cannot be read.
        """
        from prorank_search.backends.tantivy import TantivyBackend

        backend = TantivyBackend(self.indexes)
        documents = self.meter.count(whole_documents(backend.scan(self.index)), backend.count(self.index))
        return islice(documents, start, None)

    def fingerprint(self) -> str:
        """Change with every commit into the index."""
        from prorank_search.backends.tantivy.versions import index_folder, published

        return fingerprint([published(index_folder(self.indexes, self.index)) / "meta.json"])

    def extent(self) -> Extent:
        """Count the documents."""
        return self.meter.extent()


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of an embedded index.

    Raises:
        ConfigError: There are no settings.
    """
    if not source.startswith(_PREFIX):
        return None
    if options.settings is None:
        raise ConfigError(f"{source} is read with ReaderOptions(settings=...): they say where embedded indexes lie")
    return EmbeddedIndex(options.settings.home / "indexes", source.removeprefix(_PREFIX))
