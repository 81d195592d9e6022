"""A bounded table on disk: what was computed once is looked up by its key, and the oldest entries make room."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from prorank_search.errors import ConfigError

Row = tuple[float | int | bytes, ...]
"""An entry's values, one for each column."""

_BYTES_A_MB = 1_000_000
_WAIT_S = 60.0


class DiskCache:
    """A table of entries by key in an SQLite file of its own.

    Entries are written down as they come, so that work which was cut off goes on where it stopped. Safe from many
    threads; two processes may share the file.

    Args:
        path: The file, made where it does not exist.
        table: What the table is called: another one for entries of another meaning.
        columns: Name and SQLite type of each value.
        limit_mb: Bound of the file in 1,000,000 bytes; past it the oldest entries are dropped.
        advice: What to do where the file cannot be used, at the end of the error's sentence.

    Raises:
        ConfigError: The file cannot be used.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     cache = DiskCache(Path(folder) / "c.sqlite", "lengths", {"length": "INTEGER"}, 1, advice="delete it")
        ...     cache.write({b"fox": (3,)})
        ...     cache.read([b"fox", b"owl"])
        {b'fox': (3,)}
    """

    def __init__(self, path: Path, table: str, columns: Mapping[str, str], limit_mb: float, *, advice: str) -> None:
        self._path = path
        self._advice = advice
        self._limit_bytes = limit_mb * _BYTES_A_MB
        self._lock = Lock()
        names = ", ".join(columns)
        self._select = f"SELECT {names} FROM {table} WHERE key = ?"  # noqa: S608 (names of ours)
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT OR IGNORE INTO {table} (key, {names}) VALUES (?, {marks})"  # noqa: S608
        self._drop_oldest_tenth = (
            f"DELETE FROM {table} WHERE age <= (SELECT min(age) + max((max(age) - min(age)) / 10, 1) FROM {table})"  # noqa: S608
        )
        types = ", ".join(f"{name} {type_} NOT NULL" for name, type_ in columns.items())
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (age INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, {types})"
            )

    def read(self, keys: Iterable[bytes]) -> dict[bytes, Row]:
        """Return the entries that are there.

        Raises:
            ConfigError: The file can no longer be used.
        """
        found: dict[bytes, Row] = {}
        with self._usable():
            for key in keys:
                row = self._connection.execute(self._select, (key,)).fetchone()
                if row:
                    found[key] = row
        return found

    def write(self, entries: Mapping[bytes, Row]) -> None:
        """Add entries; one that is there stays as it is.

        Raises:
            ConfigError: The file can no longer be used.
        """
        with self._usable():
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                self._connection.executemany(self._insert, [(key, *row) for key, row in entries.items()])
                self._evict()
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"the cache {self._path} cannot be used ({error}): {self._advice}") from error

    def _evict(self) -> None:
        while self._used_bytes() > self._limit_bytes and self._connection.execute(self._drop_oldest_tenth).rowcount:
            pass

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)
