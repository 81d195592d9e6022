"""Text, Markdown and source-code files: a folder of them, or one; a file is a document.

HTML pages and PDF files in a folder are read too; one alone is for the readers `html` and `pdf`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NoReturn

from prorank_ingest import html_pages, pdf_pages
from prorank_ingest.records import RecordError, require_id, require_unicode
from prorank_ingest.source_files import fingerprint
from prorank_search.beir import is_beir
from prorank_search.errors import InputError
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

_TEXTS = frozenset([".txt", ".text", ".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".org", ".tex", ".log"])
_CODE_ENDINGS = (
    ".py .pyi .pyx .ipy .js .mjs .cjs .jsx .ts .tsx .vue .svelte .java .kt .kts .scala .groovy .go .rs .c .h .cc .cpp "
    ".cxx .hh .hpp .hxx .m .mm .cs .fs .vb .swift .dart .rb .php .pl .pm .lua .r .jl .hs .ml .mli .ex .exs .erl .clj "
    ".cljs .lisp .el .scm .sh .bash .zsh .fish .ps1 .sql .proto .graphql .tf .nix .zig .css .scss .less "
    ".xml .yaml .yml .toml .ini .cfg .cmake .mk .gradle"
)
_CODE = frozenset(_CODE_ENDINGS.split())
_NAMES = frozenset({"makefile", "dockerfile", "readme", "license", "changelog", "authors", "contributing"})
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})
_LARGEST = 10_000_000
_HEADING = re.compile(r"^#[ \t]+(\S.*)$", re.MULTILINE)
_MARKDOWN = frozenset({".md", ".markdown", ".mdx"})


@dataclass(frozen=True, slots=True)
class Files:
    """Reads the text files under a folder, in the order of their paths.

    Left out: hidden files and folders, `node_modules` and its like, links to folders, empty files, and files whose
    name does not say that they are text or code.
    """

    root: Path

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield a document for each file: its id is its path below the folder, its title the first Markdown heading.

        Of a PDF file each page is one.
        """
        return islice(chain.from_iterable(map(self._records, self._paths())), start, None)

    def fingerprint(self) -> str:
        """Change when a file does."""
        return fingerprint(self._paths())

    def _paths(self) -> Iterator[Path]:
        if self.root.is_file():
            yield self.root
            return
        for folder, folders, names in os.walk(self.root, onerror=_refuse):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS)
            for path in (Path(folder, name) for name in sorted(names)):
                if _is_read(path) and path.is_file() and path.stat().st_size:
                    yield path

    def _records(self, path: Path) -> Iterator[Document | BadRecord]:
        name = path.name if path == self.root else path.relative_to(self.root).as_posix()
        ending = path.suffix.lower()
        if ending in html_pages.ENDINGS:
            return html_pages.read_page(path, name)
        if ending in pdf_pages.ENDINGS:
            return pdf_pages.read_pages(path, name)
        return iter([self._record(path, name)])

    def _record(self, path: Path, name: str) -> Document | BadRecord:
        try:
            text = _text_of(path)
            require_unicode(require_id(name))
        except RecordError as error:
            return BadRecord(str(path).encode("utf-8", "backslashreplace").decode(), None, str(error))
        heading = _HEADING.search(text) if path.suffix.lower() in _MARKDOWN else None
        title = heading[1].rstrip().rstrip("#").rstrip() if heading else ""
        return Document(name, text, title or name, {"file": name})


def _refuse(error: OSError) -> NoReturn:
    raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error


def _is_text(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    return path.suffix.lower() in _TEXTS | _CODE or path.name.lower() in _NAMES


def _is_read(path: Path) -> bool:
    page = not path.name.startswith(".") and path.suffix.lower() in html_pages.ENDINGS | pdf_pages.ENDINGS
    return page or _is_text(path)


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise RecordError(f"larger than {_LARGEST:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise RecordError(f"cannot be read: {error}") from error
    if not text.strip():
        raise RecordError("nothing but white space")
    return text


def open_reader(source: str, options: ReaderOptions) -> Reader | None:  # noqa: ARG001 (every factory takes them)
    """Return a reader of a folder that is no BEIR folder, or of one file whose name says that it is text or code."""
    path = Path(source)
    if (path.is_dir() and not is_beir(path)) or (path.is_file() and _is_text(path)):
        return Files(path)
    return None
