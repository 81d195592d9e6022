"""Scores by the cosine of vectors: what any bi-encoder needs beyond its model. Document vectors are kept on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from prorank_search.disk_cache import DiskCache, Row
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

Vectors = npt.NDArray[np.float16]

_TEXTS_UNTIL_DEADLINE_CHECK = 8

_TEXTS_A_CALL = 256
"""Where nobody waits: enough of them that texts of similar length find each other, and little is lost to a kill."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text's vector.

    Attributes:
        vector: Of unit length, in half precision.
        truncated: The text was too long and its end was not read.
    """

    vector: Vectors
    truncated: bool


class Encoder(Protocol):
    """A model that turns texts into vectors of unit length. Safe from many threads."""

    @property
    def revision(self) -> str:
        """A string that changes whenever a vector may change."""
        ...

    def encode_query(self, query: str) -> Encoded:
        """Return the query's vector."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> list[Encoded]:
        """Return one vector for each text, in the same order."""
        ...


class CosineRescorer:
    """Score = cosine of the query's and the text's vector, -1..1. Safe from many threads.

    Vectors are rounded to half precision before they are compared (a cosine moves by less than 1e-3), so that a score
    is the same whether its vector was computed now or lay on disk.

    Args:
        encoder: The model.
        info: What it says of itself.
        cache: Keeps document vectors; None: they are computed each time.
    """

    def __init__(self, encoder: Encoder, info: RescorerInfo, cache: DiskCache | None = None) -> None:
        self._encoder = encoder
        self._cache = cache
        self.info = info
        self.revision = encoder.revision

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text; those that the deadline overtakes come back unscored."""
        if not request.texts or _over(request):
            return [Scored(None)] * len(request.texts)
        query = self._encoder.encode_query(request.query)
        keys = [_key(self.revision, text) for text in request.texts]
        known = self._read(keys)
        missing = {key: text for key, text in zip(keys, request.texts, strict=True) if key not in known}
        for part in _parts(list(missing), request):
            if _over(request):
                break
            encoded = self._encoder.encode_documents([missing[key] for key in part])
            fresh = dict(zip(part, encoded, strict=True))
            self._write(fresh)
            known |= fresh
        return [_scored(query, known.get(key)) for key in keys]

    def close(self) -> None:
        """Close the cache."""
        if self._cache is not None:
            self._cache.close()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, Encoded]:
        rows = self._cache.read(keys) if self._cache else {}
        return {key: _from_row(row) for key, row in rows.items()}

    def _write(self, encoded: dict[bytes, Encoded]) -> None:
        if self._cache is not None:
            self._cache.write({key: (one.vector.tobytes(), one.truncated) for key, one in encoded.items()})


def open_vector_cache(path: Path, limit_mb: int) -> DiskCache | None:
    """Open the cache of document vectors; None where its bound is 0.

    Raises:
        ConfigError: The file cannot be used.
    """
    if not limit_mb:
        return None
    columns = {"vector": "BLOB", "truncated": "INTEGER"}
    advice = "delete it, or go without it (vector_cache_mb = 0)"
    return DiskCache(path, "vectors", columns, limit_mb, advice=advice)


def _key(revision: str, text: str) -> bytes:
    return hashlib.sha256(f"{revision}\0{text}".encode("utf-8", "surrogatepass")).digest()


def _from_row(row: Row) -> Encoded:
    vector, truncated = row
    if not isinstance(vector, bytes):
        raise TypeError(vector)
    return Encoded(np.frombuffer(vector, dtype=np.float16), bool(truncated))


def _parts(keys: list[bytes], request: ScoreRequest) -> Iterator[list[bytes]]:
    size = _TEXTS_A_CALL if request.deadline is None and request.cancelled is None else _TEXTS_UNTIL_DEADLINE_CHECK
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _over(request: ScoreRequest) -> bool:
    late = request.deadline is not None and time.monotonic() >= request.deadline
    return late or (request.cancelled is not None and request.cancelled())


def _scored(query: Encoded, text: Encoded | None) -> Scored:
    if text is None:
        return Scored(None, query_truncated=query.truncated)
    cosine = float(query.vector.astype(np.float32) @ text.vector.astype(np.float32))
    return Scored(cosine, text.truncated, query.truncated)
