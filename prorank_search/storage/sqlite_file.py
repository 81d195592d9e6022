"""An SQLite file that many threads and several processes write into, brought up to date when it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from prorank_search.errors import ConfigError

Run = Callable[..., sqlite3.Cursor]
"""Runs a statement with its values."""

_WAIT_S = 30.0


class SqliteFile:
    """A file in WAL mode, in which what was written is on the disk before anybody is told so.

    Args:
        path: The file, made where it does not exist.
        migrations: What brings a file from one version (SQLite's `user_version`) to the next, statements with
            semicolons between them; only ever added to.
        kind: What the file is called in messages.

    Raises:
        ConfigError: The file cannot be used, or a newer version of this package wrote it.
    """

    def __init__(self, path: Path, migrations: Sequence[str], kind: str) -> None:
        self._path = path
        self._kind = kind
        self._lock = Lock()
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._migrate(migrations)

    def read(self, statement: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""
        with self._usable():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def change(self) -> Iterator[Run]:
        """Write all that is run inside, or nothing where something is raised."""
        with self._usable():
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self._connection.execute

    def backup(self, path: Path) -> None:
        """Write a copy of the whole file, whatever is written meanwhile.

        Raises:
            ConfigError: There is such a file already, or it cannot be written.
        """
        if path.exists():
            raise ConfigError(f"{path} exists already: choose another name for the backup")
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            copy = sqlite3.connect(path)
            self._connection.backup(copy)
            copy.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _migrate(self, migrations: Sequence[str]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(migrations):
            self._connection.execute("ROLLBACK")
            raise ConfigError(f"a newer version of prorank-search wrote {self._path}: update this one")
        for step in migrations[version:]:
            for statement in filter(str.strip, step.split(";")):
                self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {len(migrations)}")
        self._connection.execute("COMMIT")

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"{self._kind} {self._path} cannot be used ({error}): make room, or set it right from a backup"
            ) from error
