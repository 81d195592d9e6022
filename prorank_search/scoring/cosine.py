"""Scores by the cosine of vectors: what any bi-encoder needs beyond its model. Document vectors are kept on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from prorank_search.encodable import encodable
from prorank_search.scoring.deadline import in_time, is_over
from prorank_search.scoring.speed import Speed, info_of, probe
from prorank_search.storage.disk_cache import DiskCache, Row
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

Vectors = npt.NDArray[np.float16]


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
    """A model that turns texts into vectors of unit length. Safe from many threads.

    Attributes:
        texts_a_pass: How many texts it takes at once; between passes a deadline is looked at.
    """

    texts_a_pass: int

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

    def close(self) -> None:
        """Give back what it holds beside memory."""
        ...


class CosineRescorer:
    """Score = cosine of the query's and the text's vector, -1..1. Safe from many threads.

    Vectors are rounded to half precision before they are compared (a cosine moves by less than 1e-3), so that a score
    is the same whether its vector was computed now or lay on disk.

    Args:
        encoder: The model.
        name: What results call it.
        cache: Keeps document vectors; None: they are computed each time.
        speed_file: The cache of this machine's measured speed; None: the model runs on an accelerator.
    """

    def __init__(
        self, encoder: Encoder, name: str, cache: DiskCache | None = None, speed_file: Path | None = None
    ) -> None:
        self._encoder = encoder
        self._name = name
        self._cache = cache
        encode = encoder.encode_documents
        self._speed = Speed(speed_file, encoder.revision, lambda: probe(encode)) if speed_file else None
        self.revision = encoder.revision

    @property
    def info(self) -> RescorerInfo:
        """What the model is, and how fast it was seen to be on texts without a vector."""
        return info_of(self._name, self._speed)

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text; those that the deadline overtakes come back unscored."""
        if not request.texts or is_over(request):
            return [Scored(None)] * len(request.texts)
        query = self._encoder.encode_query(encodable(request.query))
        texts = [encodable(text) for text in request.texts]
        keys = [_key(self.revision, text) for text in texts]
        known = self._read(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        for part in in_time(list(missing), request, self._encoder.texts_a_pass):
            fresh = self._encode({key: missing[key] for key in part})
            self._write(fresh)
            known |= fresh
        return [_scored(query, known.get(key)) for key in keys]

    def close(self) -> None:
        """Close the cache and give back what the model holds."""
        self._encoder.close()
        if self._cache is not None:
            self._cache.close()

    def _encode(self, texts: dict[bytes, str]) -> dict[bytes, Encoded]:
        began = time.monotonic()
        encoded = self._encoder.encode_documents(list(texts.values()))
        if self._speed is not None:
            self._speed.saw(len(texts), time.monotonic() - began)
        return dict(zip(texts, encoded, strict=True))

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
    return hashlib.sha256(f"{revision}\0{text}".encode()).digest()


def _from_row(row: Row) -> Encoded:
    vector, truncated = row
    if not isinstance(vector, bytes):
        raise TypeError(vector)
    return Encoded(np.frombuffer(vector, dtype=np.float16), bool(truncated))


def _scored(query: Encoded, text: Encoded | None) -> Scored:
    if text is None:
        return Scored(None, query_truncated=query.truncated)
    cosine = float(query.vector.astype(np.float32) @ text.vector.astype(np.float32))
    return Scored(cosine, text.truncated, query.truncated)
