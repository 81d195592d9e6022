"""Rescore scores that are kept: what was scored once is not scored again, until the model or the text changes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prorank_search.protocols import Rescorer
from prorank_search.rescore import counted
from prorank_search.rescorers.chain import ChainRescorer
from prorank_search.storage.disk_cache import DiskCache, Row
from prorank_search.storage.memory_cache import MemoryCache
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_COLUMNS = {"score": "REAL", "truncated": "INTEGER", "query_truncated": "INTEGER"}


class CachedRescorer:
    """A rescorer that asks another one only for what it has not said before.

    Scores are kept by the inner rescorer's revision, the instruction, the query and the text. They are written down
    after each request, so that work which was cut off goes on where it stopped. Several may share a cache.

    Args:
        rescorer: Scores what is not known yet.
        cache: Keeps the scores, see `open_score_cache`.
    """

    def __init__(self, rescorer: Rescorer, cache: DiskCache | MemoryCache) -> None:
        self._rescorer = rescorer
        self._cache = cache

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
        known = self._read(keys)
        missing = {key: text for key, text in zip(keys, request.texts, strict=True) if key not in known}
        if missing:
            answers = self._rescorer.score(replace(request, texts=list(missing.values())))
            fresh = dict(zip(missing, counted(answers, len(missing), self.info.model), strict=True))
            self._cache.write({key: row for key, one in fresh.items() if (row := _to_row(one)) is not None})
            known |= fresh
        return [known[key] for key in keys]

    def known(self, request: ScoreRequest) -> list[Scored | None]:
        """Return the scores that are kept, without asking the inner rescorer; None for the other texts.

        Raises:
            ConfigError: The file can no longer be used.
        """
        keys = [_key(self.revision, request, text) for text in request.texts]
        known = self._read(keys)
        return [known.get(key) for key in keys]

    def close(self) -> None:
        """Close the cache."""
        self._cache.close()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, Scored]:
        return {key: _from_row(row) for key, row in self._cache.read(keys).items()}


def remembering(rescorer: Rescorer, cache: DiskCache | MemoryCache) -> Rescorer:
    """Put a rescorer behind a cache: of a chain each of its rescorers, since what it says depends on all texts."""
    if isinstance(rescorer, ChainRescorer):
        return rescorer.with_each(lambda part: remembering(part, cache))
    return CachedRescorer(rescorer, cache) if rescorer.info.texts_apart else rescorer


def open_score_cache(path: Path, limit_mb: float) -> DiskCache:
    """Open the scores on disk, which two processes may share.

    Args:
        path: The cache's file, made where it does not exist.
        limit_mb: Bound of the file in 1,000,000 bytes; past it the oldest scores are dropped.

    Raises:
        ConfigError: The file cannot be used.
    """
    return DiskCache(path, "scores", _COLUMNS, limit_mb, advice="delete it, or go without it (--no-cache)")


def _to_row(scored: Scored) -> Row | None:
    """Return what is kept of a score; None: it is none, or no number, which is a fault that may pass."""
    if scored.score is None or not math.isfinite(scored.score):
        return None
    return scored.score, scored.truncated, scored.query_truncated


def _from_row(row: Row) -> Scored:
    score, truncated, query_truncated = row
    return Scored(float(score), bool(truncated), bool(query_truncated))


def _key(revision: str, request: ScoreRequest, text: str) -> bytes:
    parts: Sequence[str | None] = (revision, request.instruction, request.query, text)
    return hashlib.sha256(json.dumps(parts).encode()).digest()
