"""Rescore scores on disk: what was scored once is never scored again, until the model or the text changes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock

from prorank_search.errors import ConfigError
from prorank_search.protocols import Rescorer
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_SCHEMA = """
CREATE TABLE IF NOT EXISTS scores (
    age INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    score REAL NOT NULL,
    truncated INTEGER NOT NULL,
    query_truncated INTEGER NOT NULL
)
"""
_OLDEST_TENTH = """
DELETE FROM scores WHERE age <= (SELECT min(age) + max((max(age) - min(age)) / 10, 1) FROM scores)
"""
_BYTES_A_MB = 1_000_000
_WAIT_S = 60.0


class CachedRescorer:
    """A rescorer that asks another one only for what it has not said before.

    Scores are kept by the inner rescorer's revision, the instruction, the query and the text. They are written down
    after each request, so that work which was cut off goes on where it stopped. Two processes may share the file.

    Args:
        rescorer: Scores what is not known yet.
        path: The cache's file, made where it does not exist.
        limit_mb: Bound of the file in 1,000,000 bytes; past it the oldest scores are dropped.

    Raises:
        ConfigError: The file cannot be used.
    """

    def __init__(self, rescorer: Rescorer, path: Path, limit_mb: float) -> None:
        self._rescorer = rescorer
        self._path = path
        self._limit_bytes = limit_mb * _BYTES_A_MB
        self._lock = Lock()
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_SCHEMA)

    @property
    def revision(self) -> str:
        """The inner rescorer's revision."""
        return self._rescorer.revision

    @property
    def info(self) -> RescorerInfo:
        """What the inner rescorer says of itself."""
        return self._rescorer.info

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Return known scores, and the inner rescorer's for the other texts.

        Raises:
            RescorerError: The inner rescorer failed.
            ConfigError: The file can no longer be used.
        """
        keys = [_key(self.revision, request, text) for text in request.texts]
        with self._usable():
            known = self._read(keys)
        missing = {key: text for key, text in zip(keys, request.texts, strict=True) if key not in known}
        if missing:
            answers = self._rescorer.score(replace(request, texts=list(missing.values())))
            fresh = dict(zip(missing, answers, strict=True))
            with self._usable():
                self._write(fresh)
            known |= fresh
        return [known[key] for key in keys]

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
            raise ConfigError(
                f"the score cache {self._path} cannot be used ({error}): delete it, or go without it (--no-cache)"
            ) from error

    def _read(self, keys: Iterable[bytes]) -> dict[bytes, Scored]:
        known = {}
        for key in keys:
            row = self._connection.execute(
                "SELECT score, truncated, query_truncated FROM scores WHERE key = ?", (key,)
            ).fetchone()
            if row:
                known[key] = Scored(row[0], bool(row[1]), bool(row[2]))
        return known

    def _write(self, scored: dict[bytes, Scored]) -> None:
        rows = [
            (key, answer.score, answer.truncated, answer.query_truncated)
            for key, answer in scored.items()
            if answer.score is not None
        ]
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO scores (key, score, truncated, query_truncated) VALUES (?, ?, ?, ?)", rows
            )
            self._evict()
        self._connection.execute("PRAGMA incremental_vacuum").fetchall()

    def _evict(self) -> None:
        while self._used_bytes() > self._limit_bytes and self._connection.execute(_OLDEST_TENTH).rowcount:
            pass

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def _key(revision: str, request: ScoreRequest, text: str) -> bytes:
    parts: Sequence[str | None] = (revision, request.instruction, request.query, text)
    return hashlib.sha256(json.dumps(parts).encode()).digest()
