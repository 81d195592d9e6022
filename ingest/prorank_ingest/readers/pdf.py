"""One PDF file: a page is a document. A folder of them is read by `files`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from prorank_ingest.pdf_pages import ENDINGS, read_pages
from prorank_ingest.source_files import fingerprint
from prorank_search import plugins
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document


@dataclass(frozen=True, slots=True)
class PdfFile:
    """Reads one PDF file."""

    path: Path

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the pages in their order."""
        return islice(read_pages(self.path, self.path.name), start, None)

    def fingerprint(self) -> str:
        """Change when the file does."""
        return fingerprint([self.path])


def open_reader(source: str, options: ReaderOptions) -> Reader | None:  # noqa: ARG001 (every factory takes them)
    """Return a reader of a .pdf file."""
    path = Path(source)
    if path.suffix.lower() not in ENDINGS or not path.is_file():
        return None
    plugins.require("pypdf", needed_by="pdf")
    return PdfFile(path)
