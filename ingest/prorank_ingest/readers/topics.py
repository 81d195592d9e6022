"""`python-topics`: the language reference topics that every CPython brings, cut into their sections."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

_SOURCE = "python-topics"
_HEADING = re.compile(r"^(\S.*)\n([=\-*~^\"])\2{2,}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Topics:
    """Reads `pydoc_data.topics`. Topics quote one another: a section that stands in several is read once."""

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the sections, those of the shortest topics first: there a section is the topic itself."""
        return islice(self._sections(), start, None)

    def fingerprint(self) -> str:
        """Change with the interpreter."""
        return sys.version

    def _sections(self) -> Iterator[Document]:
        from pydoc_data.topics import topics

        seen = set()
        for label, text in sorted(topics.items(), key=lambda item: (len(item[1]), item[0])):
            for section in _cut(label, text):
                words = " ".join(section.text.split())
                if words not in seen:
                    seen.add(words)
                    yield section


def _cut(label: str, text: str) -> Iterator[Document]:
    r"""Yield a topic's sections; the first has the topic's label as id, the others have their heading behind it.

    Example:
        >>> for section in _cut("if", 'The "if" statement\n***\n\nOne.\n\nElse\n====\n\nTwo.\n'):
        ...     print(section.doc_id, "|", section.title, "|", section.text)
        if | The "if" statement | One.
        if#else | The "if" statement: Else | Two.
    """
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    taken: dict[str, int] = {}
    for heading, end in zip(headings, ends, strict=True):
        body = text[heading.end() : end].strip("\n")
        slug = "-".join(re.findall(r"\w+", heading[1].lower()))
        taken[slug] = taken.get(slug, 0) + 1
        place = slug if taken[slug] == 1 else f"{slug}-{taken[slug]}"
        first = heading is headings[0]
        title = heading[1] if first else f"{headings[0][1]}: {heading[1]}"
        if body:
            metadata = {"topic": label, "section": heading[1]}
            yield Document(label if first else f"{label}#{place}", body, title, metadata)


def open_reader(source: str, options: ReaderOptions) -> Reader | None:  # noqa: ARG001 (every factory takes them)
    """Return the reader where the source is `python-topics`."""
    return Topics() if source == _SOURCE else None
