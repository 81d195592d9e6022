"""A bi-encoder of sentence-transformers: one vector for each text."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
from sentence_transformers import SentenceTransformer

from prorank_search.rescorers.sentence_transformers.loading import too_long
from prorank_search.scoring.cosine import Encoded


class BiEncoder:
    """Turns texts into vectors of unit length. Safe from many threads, one of which encodes at a time.

    Args:
        model: The model.
        revision: Changes whenever a vector may change.
    """

    texts_a_pass = 8

    def __init__(self, model: SentenceTransformer, revision: str) -> None:
        self._model = model
        self._lock = Lock()  # a tokenizer's truncation is a state, which each call sets anew
        self.revision = revision

    def encode_query(self, query: str) -> Encoded:
        """Return the vector of a query, with the prompt that the model has for one."""
        with self._lock:
            vectors = self._model.encode_query([query], normalize_embeddings=True, show_progress_bar=False)
            return _encoded(vectors, too_long(self._model, [query]))[0]

    def encode_documents(self, texts: Sequence[str]) -> list[Encoded]:
        """Return one vector for each text, in the same order."""
        with self._lock:
            vectors = self._model.encode_document(
                list(texts), batch_size=self.texts_a_pass, normalize_embeddings=True, show_progress_bar=False
            )
            return _encoded(vectors, too_long(self._model, texts))

    def close(self) -> None:
        """Give nothing back: it holds memory only."""


def _encoded(vectors: object, truncated: Sequence[bool]) -> list[Encoded]:
    halves = np.asarray(vectors, np.float16)  # (texts, dimensions)
    return [Encoded(vector, cut) for vector, cut in zip(halves, truncated, strict=True)]
