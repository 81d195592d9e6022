"""One HTML page: its readable text. A folder of pages is read by `files`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from prorank_ingest.html_pages import ENDINGS, read_page
from prorank_ingest.source_files import fingerprint
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """Reads one page."""

    path: Path

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the page, whose id is the file's name."""
        return islice(read_page(self.path, self.path.name), start, None)

    def fingerprint(self) -> str:
        """Change when the file does."""
        return fingerprint([self.path])


def open_reader(source: str, options: ReaderOptions) -> Reader | None:  # noqa: ARG001 (every factory takes them)
    """Return a reader of a .html, .htm or .xhtml file."""
    path = Path(source)
    return HtmlPage(path) if path.suffix.lower() in ENDINGS and path.is_file() else None
