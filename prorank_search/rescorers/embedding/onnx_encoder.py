"""An ONNX bi-encoder: tokens through onnxruntime, pooled, scaled to unit length."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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

_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class OnnxEncoder:
    """Turns texts into vectors, one text a pass on each core. Safe from many threads.

    Texts share no pass: measured on one core, passes over 8 to 32 texts of similar length were slower than single
    ones by 5 to 29 % (bge-small; small products stay in the core's cache), and a quantised model rounds by the range
    of the whole pass, so that a neighbour changes a text's vector (its cosine with itself fell to 0.991).

    Args:
        folder: Holds `model.onnx` and `tokenizer.json`.
        facts: How the model is used.
        max_length_tokens: Where texts are cut, special tokens included.
        weights_sha256: Of `model.onnx`.

    Raises:
        CheckpointError: A file cannot be read, or the model is no bi-encoder.
    """

    def __init__(self, folder: Path, facts: EmbeddingFacts, max_length_tokens: int, weights_sha256: str) -> None:
        cores = usable_cores()
        self._facts = facts
        self._tokenizer = _tokenizer(folder / TOKENIZER_FILE, max_length_tokens)
        self._session = _session(folder / ONNX_FILE)
        self._inputs = [put.name for put in self._session.get_inputs()]
        self._threads = ThreadPoolExecutor(cores, thread_name_prefix="prorank-embedding")
        self.texts_a_pass = cores
        self.revision = _revision(weights_sha256, folder / TOKENIZER_FILE, facts, max_length_tokens)

    def encode_query(self, query: str) -> Encoded:
        """Return the vector of a query, behind the words that the model wants before one."""
        return self.encode_documents([self._facts.query_prefix + query])[0]

    def encode_documents(self, texts: Sequence[str]) -> list[Encoded]:
        """Return one vector for each text, in the same order.

        Raises:
            RescorerError: The model failed.
        """
        return list(self._threads.map(self._encoded, self._tokenizer.encode_batch_fast(list(texts))))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _encoded(self, tokens: Encoding) -> Encoded:
        ids = np.array([tokens.ids], np.int64)  # (1, tokens)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        try:
            (hidden, *_) = self._session.run(None, {name: feed[name] for name in self._inputs})
        except Exception as error:  # onnxruntime raises nothing narrower
            raise RescorerError(f"onnxruntime failed on a text of {len(tokens)} tokens: {error}") from error
        vector = hidden[0, 0] if self._facts.pooling == "cls" else hidden[0].mean(axis=0)  # (dimensions,)
        return Encoded(_unit(vector), bool(tokens.overflowing))


def usable_cores() -> int:
    """Return how many cores this process may use; onnxruntime by itself would take all of the machine's."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _unit(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    return (vector / np.linalg.norm(vector)).astype(np.float16)


def _tokenizer(file: Path, max_length_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # tokenizers raises nothing narrower
        raise CheckpointError(f"{file} cannot be read: {error}; pull the model again") from error
    tokenizer.enable_truncation(max_length_tokens)
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # what reads like a special token in a text is text
    return tokenizer


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises nothing narrower
        raise CheckpointError(f"{file} cannot be loaded: {error}; pull the model again") from error
    unknown = sorted({put.name for put in session.get_inputs()} - _INPUTS)
    if unknown:
        raise CheckpointError(f"{file} is no text encoder: it wants the inputs {', '.join(unknown)}")
    return session


def _revision(weights_sha256: str, tokenizer: Path, facts: EmbeddingFacts, max_length_tokens: int) -> str:
    digest = hashlib.sha256(f"{_VERSION} {weights_sha256} {facts.model_dump_json()}".encode())
    digest.update(tokenizer.read_bytes())
    return f"{digest.hexdigest()[:16]}-{max_length_tokens}"
