"""Databases: the rows of a SELECT, over any SQLAlchemy URL."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_ingest.plain_values import plain_row
from prorank_ingest.records import Names, RecordError, require_columns, to_document
from prorank_search import plugins
from prorank_search.errors import ConfigError, InputError
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

if TYPE_CHECKING:
    from sqlalchemy import URL, CursorResult, Engine

_ROWS_AT_ONCE = 1_000
_EXAMPLE = "SELECT id, title, text FROM articles ORDER BY id"
_READS = ("select", "with", "values", "table", "(")
_PASSWORDS = frozenset({"password", "passwd", "sslpassword"})


@dataclass(frozen=True, slots=True)
class SelectedRows:
    """Reads what a SELECT returns. Nothing is ever committed."""

    url: str
    select: str
    names: Names

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the rows in the order that the SELECT asks for.

        Raises:
            InputError: The database does not answer or refuses the SELECT, or a needed column is missing.
        """
        return islice(self._records(), start, None)

    def fingerprint(self) -> str:
        """Change when a row or the order of the rows does: all of them are read for it."""
        digest = hashlib.sha256()
        with _rows(self.url, self.select) as rows:
            for row in rows:
                digest.update(f"{tuple(row)!r}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _records(self) -> Iterator[Document | BadRecord]:
        with _rows(self.url, self.select) as rows:
            require_columns(self.url, list(rows.keys()), self.names)
            for number, row in enumerate(rows.mappings(), start=1):
                yield self._record(plain_row(dict(row)), number)

    def _record(self, row: dict[str, object], number: int) -> Document | BadRecord:
        try:
            return to_document(row, self.names)
        except RecordError as error:
            shown = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogateescape")
            return BadRecord(self.url, number, str(error), shown.decode("utf-8", "backslashreplace"))


@contextmanager
def _rows(url: str, select: str) -> Iterator[CursorResult[tuple[object, ...]]]:
    """Run a SELECT, some rows at a time, and explain what goes wrong without a secret in it."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    engine = _engine(url)
    try:
        with engine.connect().execution_options(yield_per=_ROWS_AT_ONCE) as connection:
            yield connection.execute(text(select))
    except SQLAlchemyError as error:
        told = error.orig if isinstance(error, DBAPIError) else error
        raise InputError(f"{url} did not answer {select!r}: {told}") from error
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine, event

    with_password = _with_variables(_parsed(url), url)
    try:
        engine = create_engine(with_password)
    except ModuleNotFoundError as error:
        raise plugins.missing_extra(error, needed_by=url) from error
    if engine.dialect.name == "sqlite":
        _require_file(with_password.database, url)
        event.listen(engine, "connect", _keep_broken_text)
    return engine


def _keep_broken_text(connection: object, _: object) -> None:
    """Let text that is not UTF-8 come through, so that it spoils one row and not the whole answer."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # type: ignore[attr-defined]


def _require_file(database: str | None, url: str) -> None:
    """Refuse a file that is not there: SQLite would make an empty one."""
    if database and database != ":memory:" and not database.startswith("file:") and not Path(database).is_file():
        raise InputError(f"{url}: there is no file {database!r}")


def _with_variables(url: URL, written: str) -> URL:
    """Return the URL with `$NAME` as its password replaced by that variable's value.

    Raises:
        ConfigError: A password is written out, or the variable is not set.
    """
    for key in url.query:
        if key.lower() in _PASSWORDS:
            shown = url.set(query={}).render_as_string(hide_password=True)
            raise ConfigError(f"{shown}: {key} is never written into an address: write '$NAME' as the user's password")
    password = url.password
    if password is None:
        return url
    variable = str(password).removeprefix("$")
    if variable == password:
        shown = url.render_as_string(hide_password=True)
        raise ConfigError(f"{shown}: a password is never written out: set a variable, and write '$NAME' in its place")
    if variable not in os.environ:
        raise ConfigError(f"{written}: the variable {variable} is not set")
    return url.set(password=os.environ[variable])


def _parsed(url: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InputError(f"{url.partition('://')[0]}://...: no SQLAlchemy URL: {error}") from error


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of a SQLAlchemy URL.

    Raises:
        ConfigError: There is no SELECT, or it is something else than one, or the URL holds a password.
    """
    scheme, mark, _ = source.partition("://")
    if not mark or scheme in {"http", "https", "file"}:
        return None
    plugins.require("sqlalchemy", needed_by="sql")
    _with_variables(_parsed(source), source)
    select = (options.select or "").strip().rstrip(";")
    if not select.lower().startswith(_READS):
        raise ConfigError(f"{source} needs --select with what to read, such as {_EXAMPLE!r}; it is {select!r}")
    return SelectedRows(source, select, Names.of(options))
