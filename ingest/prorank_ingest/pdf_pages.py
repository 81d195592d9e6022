"""PDF files: the text of each page."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_ingest.records import RecordError, require_id, require_unicode
from prorank_search import plugins
from prorank_search.encodable import encodable
from prorank_search.errors import MissingExtraError
from prorank_search.protocols import BadRecord
from prorank_search.types import Document

if TYPE_CHECKING:
    from pypdf import PdfReader

ENDINGS = frozenset({".pdf"})

_BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error)
"""What a damaged file makes a PDF parser raise beside its own errors."""


def read_pages(path: Path, name: str) -> Iterator[Document | BadRecord]:
    """Yield a document for each page, `NAME#page=3`; a bad record for a page without text or a file that is broken.

    Args:
        path: The file.
        name: What stands before the number in each id.
    """
    try:
        pdf, title = _opened(path, name)
    except RecordError as error:
        yield _bad(path, str(error))
        return
    for number in range(1, len(pdf.pages) + 1):
        try:
            doc_id = require_id(f"{name}#page={number}")
            text = _text(pdf, number)
            require_unicode(doc_id, title, text)
            yield Document(doc_id, text, title, {"file": name, "page": number})
        except RecordError as error:
            yield _bad(path, f"page {number}: {error}")


def _opened(path: Path, name: str) -> tuple[PdfReader, str]:
    """Open a file whose pages can be counted; return it with its title."""
    try:
        plugins.require("pypdf", needed_by="pdf")
    except MissingExtraError as error:
        raise RecordError(str(error)) from error
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        pdf = PdfReader(path)
        title = (pdf.metadata.title if pdf.metadata else None) or ""
        _ = len(pdf.pages)
    except (PyPdfError, DependencyError, NotImplementedError, *_BROKEN) as error:
        raise RecordError(f"cannot be read as PDF: {error}") from error
    title = " ".join(encodable(title).split())
    return pdf, title or name


def _text(pdf: PdfReader, number: int) -> str:
    from pypdf.errors import DependencyError, PyPdfError

    try:
        text = pdf.pages[number - 1].extract_text()
    except (PyPdfError, DependencyError, NotImplementedError, zlib.error, *_BROKEN) as error:
        raise RecordError(f"cannot be read: {error}") from error
    if not text.strip():
        raise RecordError("no text: empty, or a picture of a page")
    return text


def _bad(path: Path, reason: str) -> BadRecord:
    return BadRecord(str(path).encode("utf-8", "backslashreplace").decode(), None, reason)
