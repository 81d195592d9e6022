"""Small tables that are uploaded (queries, judgments), read as the files that they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

from prorank_search import query_files
from prorank_search.errors import InputError
from prorank_search.judgments import query_id_of
from prorank_search.types import Query

LARGEST_MB = 20

_LONGEST_NAME = 80
_T = TypeVar("_T")


class Uploaded(Protocol):
    """A file as a browser sent it."""

    @property
    def name(self) -> str:
        """Its name there; nothing in it can be trusted."""
        ...

    def getvalue(self) -> bytes:
        """Return its bytes."""
        ...


def read(file: Uploaded, reader: Callable[[Path], _T]) -> _T:
    """Let a reader of files read an upload; its complaints name the file as it was uploaded.

    Raises:
        InputError: The reader cannot use it.
    """
    name = re.sub(r"[^\w.-]", "_", PurePosixPath(file.name.replace("\\", "/")).name)[-_LONGEST_NAME:]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"_{name}"
        path.write_bytes(file.getvalue())
        try:
            return reader(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), name)) from error


def typed_queries(text: str) -> dict[str, Query]:
    r"""Read queries as a person types them: one a line.

    Raises:
        InputError: There is none.

    Example:
        >>> [query.text for query in typed_queries("quick fox\n\nwise owl\nquick fox").values()]
        ['quick fox', 'wise owl']
    """
    texts = dict.fromkeys(line.strip() for line in text.splitlines() if line.strip())
    if not texts:
        raise InputError("there is no query: type one a line")
    return {query_id_of(text): Query(query_id_of(text), text) for text in texts}


def uploaded_queries(path: Path) -> dict[str, Query]:
    """Read queries from a file: with ids as `query_files` does; a `.txt` without tabs holds one query a line.

    Raises:
        InputError: It cannot be used.
    """
    if path.suffix == ".txt":
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8: {error}") from error
        if "\t" not in text:
            return typed_queries(text)
    return query_files.read_queries(path)
