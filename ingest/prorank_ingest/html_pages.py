"""HTML pages: the text that a person reads there, and the title."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from html.parser import HTMLParser
from pathlib import Path

from prorank_ingest.records import RecordError, require_id, require_unicode
from prorank_search.protocols import BadRecord
from prorank_search.types import Document

ENDINGS = frozenset({".html", ".htm", ".xhtml"})

_NEVER_READ = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select", "head"}
)
_AROUND = frozenset({"nav", "footer", "aside", "form", "dialog"})
_CONTENT = frozenset({"main", "article"})
_BLOCK_NAMES = (
    "address article aside blockquote body br dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 "
    "h5 h6 header hr html li main nav ol p pre section summary table tbody tfoot thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_IN_HEAD = frozenset({"title", "meta", "link", "base", "script", "style", "noscript", "template"})
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_SEEN_FOR_CHARSET = 4_096
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_AS_BROWSERS_READ_IT = dict.fromkeys(["iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"], "windows-1252")
_OF_PYTHON_ALONE = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
_LARGEST = 10_000_000


def read_page(path: Path, name: str) -> Iterator[Document | BadRecord]:
    """Yield the one document of a page; a bad record where it cannot be read or has no text.

    The text is that of `main` or `article` where the page has one, otherwise of all but navigation, footers, asides
    and forms. The title is `title`, else the first heading, else the name.

    Args:
        path: The file.
        name: The document's id.
    """
    try:
        markup = _decoded(path)
        title, text = readable(markup)
        require_unicode(require_id(name), title, text)
    except RecordError as error:
        yield _bad(path, str(error))
    else:
        yield Document(name, text, title or name, {"file": name}) if text else _bad(path, "no readable text")


def readable(markup: str) -> tuple[str, str]:
    r"""Return title and text of a page.

    Example:
        >>> readable("<title>Dogs</title><nav>Home</nav><p>It <b>barks</b>.<p>Woof &amp; woof.")
        ('Dogs', 'It barks.\nWoof & woof.')
    """
    page = _Page()
    page.feed(markup)
    page.close()
    content = _lines(page.content)
    return " ".join("".join(page.title or page.heading).split()), content or _lines(page.text)


class _Page(HTMLParser):
    """Collects title, first heading, text, and the text inside `main` and `article`, as pieces."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.heading: list[str] = []
        self.text: list[str] = []
        self.content: list[str] = []
        self._open: list[str] = []
        self._times_open: Counter[str] = Counter()
        self._headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the parser's)
        if tag not in _IN_HEAD and self._open[-1:] == ["head"]:  # many a page leaves its end tag out
            self._close("head")
        if tag == "h1":
            self._headings += 1
        if tag not in _VOID:
            self._open.append(tag)
            self._times_open[tag] += 1
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the parser's)
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._break(tag)
        if self._times_open[tag]:
            self._close(tag)

    def handle_data(self, data: str) -> None:
        if self._times_open["title"] and not self._is_inside(_NEVER_READ - {"head"}):
            self.title.append(data)
        elif not self._is_inside(_NEVER_READ):
            if self._times_open["h1"] and self._headings == 1:
                self.heading.append(data)
            self._add(data if self._times_open["pre"] else re.sub(r"\s+", " ", data))

    def _is_inside(self, tags: AbstractSet[str]) -> bool:
        return any(self._times_open[tag] for tag in tags)

    def _close(self, tag: str) -> None:
        """Close the last open element of this name, and those that were opened in it."""
        closed = ""
        while closed != tag:
            closed = self._open.pop()
            self._times_open[closed] -= 1

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._add("\n")
        elif tag in {"td", "th"}:
            self._add(" ")

    def _add(self, piece: str) -> None:
        if self._is_inside(_AROUND):
            return
        self.text.append(piece)
        if self._is_inside(_CONTENT):
            self.content.append(piece)


def _lines(pieces: list[str]) -> str:
    """Return pieces as text, a block a line, without the white space that only the markup has."""
    lines = (line.rstrip() for line in "".join(pieces).split("\n"))
    return "\n".join(line if line.startswith("  ") else line.lstrip() for line in lines if line).strip("\n")


def _bad(path: Path, reason: str) -> BadRecord:
    return BadRecord(str(path).encode("utf-8", "backslashreplace").decode(), None, reason)


def _decoded(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise RecordError(f"larger than {_LARGEST:,} bytes")
        raw = path.read_bytes()
    except OSError as error:
        raise RecordError(f"cannot be read: {error}") from error
    encoding = _encoding(raw)
    try:
        known = codecs.lookup(encoding).name not in _OF_PYTHON_ALONE
        text = raw.decode(encoding) if known else ""
    except LookupError:
        known = False
    except UnicodeDecodeError as error:
        raise RecordError(f"not {encoding.upper()}: {error.reason} at byte {error.start}") from error
    if not known:
        raise RecordError(f"its encoding {encoding!r} is unknown")
    return text


def _encoding(raw: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding
    declared = _CHARSET.search(raw[:_SEEN_FOR_CHARSET])
    name = declared[1].decode("ascii", "replace").lower() if declared else "utf-8"
    return _AS_BROWSERS_READ_IT.get(name, name)
