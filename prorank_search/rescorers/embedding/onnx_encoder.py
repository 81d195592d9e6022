"""An ONNX bi-encoder: tokens through onnxruntime, pooled, scaled to unit length."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Encoding, Tokenizer

from prorank_search.errors import CheckpointError, RescorerError
from prorank_search.models.contents import ONNX_FILE, TOKENIZER_FILE, EmbeddingFacts
from prorank_search.scoring.cosine import Encoded

_VERSION = 1
"""Of what this file does between text and vector."""

_TOKENS_A_PASS = 2048
"""More tokens at once are no faster on a CPU, and take memory."""

_TEXTS_A_PASS = 32


class OnnxEncoder:
    """Turns texts into vectors. Safe from many threads.

    Args:
        folder: Holds `model.onnx` and `tokenizer.json`.
        facts: How the model is used.
        max_length_tokens: Where texts are cut, special tokens included.
        weights_sha256: Of `model.onnx`.

    Raises:
        CheckpointError: A file cannot be read, or the model is no bi-encoder.
    """

    def __init__(self, folder: Path, facts: EmbeddingFacts, max_length_tokens: int, weights_sha256: str) -> None:
        self._facts = facts
        self._tokenizer = _tokenizer(folder / TOKENIZER_FILE, max_length_tokens)
        self._session = _session(folder / ONNX_FILE)
        self._inputs = [put.name for put in self._session.get_inputs()]
        self.revision = _revision(weights_sha256, folder / TOKENIZER_FILE, facts, max_length_tokens)

    def encode_query(self, query: str) -> Encoded:
        """Return the vector of a query, behind the words that the model wants before one."""
        return self.encode_documents([self._facts.query_prefix + query])[0]

    def encode_documents(self, texts: Sequence[str]) -> list[Encoded]:
        """Return one vector for each text, in the same order.

        Raises:
            RescorerError: The model failed.
        """
        tokens = self._tokenizer.encode_batch_fast(list(texts))
        encoded: dict[int, Encoded] = {}
        for rows in self._passes(tokens):
            for row, vector in zip(rows, self._vectors([tokens[row] for row in rows]), strict=True):
                encoded[row] = Encoded(vector, bool(tokens[row].overflowing))
        return [encoded[row] for row in range(len(texts))]

    def _passes(self, tokens: Sequence[Encoding]) -> list[list[int]]:
        """Return which texts share a pass: those of similar length, so that little of it is padding.

        A quantised model takes each text alone: it rounds by the range of the whole pass, so that a neighbour would
        change a text's vector.
        """
        texts_a_pass = 1 if self._facts.quantized else _TEXTS_A_PASS
        passes: list[list[int]] = []
        for row in sorted(range(len(tokens)), key=lambda row: len(tokens[row])):
            last = passes[-1] if passes else None
            if last and len(last) < texts_a_pass and (len(last) + 1) * len(tokens[row]) <= _TOKENS_A_PASS:
                last.append(row)
            else:
                passes.append([row])
        return passes

    def _vectors(self, tokens: Sequence[Encoding]) -> npt.NDArray[np.float16]:
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), np.int64)  # (texts, tokens)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(tokens):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            (hidden, *_) = self._session.run(None, {name: feed[name] for name in self._inputs})
        except Exception as error:
            raise RescorerError(
                f"onnxruntime failed on {len(tokens)} texts of up to {longest} tokens: {error}"
            ) from error
        return _unit(_pooled(hidden, mask, self._facts.pooling)).astype(np.float16)


def _pooled(hidden: npt.NDArray[np.float32], mask: npt.NDArray[np.int64], pooling: str) -> npt.NDArray[np.float32]:
    if pooling == "cls":
        return hidden[:, 0]
    weights = mask[:, :, None].astype(np.float32)  # (texts, tokens, 1)
    pooled: npt.NDArray[np.float32] = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    return pooled


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    unit: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _tokenizer(file: Path, max_length_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(file.read_text("utf-8"))
    except Exception as error:
        raise CheckpointError(f"{file} cannot be read: {error}; pull the model again") from error
    tokenizer.enable_truncation(max_length_tokens)
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _usable_cores()
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CheckpointError(f"{file} cannot be loaded: {error}; pull the model again") from error
    known = {"input_ids", "attention_mask", "token_type_ids"}
    unknown = sorted({put.name for put in session.get_inputs()} - known)
    if unknown:
        raise CheckpointError(f"{file} is no text encoder: it wants the inputs {', '.join(unknown)}")
    return session


def _usable_cores() -> int:
    """Return how many cores this process may use; onnxruntime would take, and hold on to, those of the machine."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _revision(weights_sha256: str, tokenizer: Path, facts: EmbeddingFacts, max_length_tokens: int) -> str:
    digest = hashlib.sha256(f"{_VERSION} {weights_sha256} {facts.model_dump_json()}".encode())
    digest.update(tokenizer.read_bytes())
    return f"{digest.hexdigest()[:16]}-{max_length_tokens}"
