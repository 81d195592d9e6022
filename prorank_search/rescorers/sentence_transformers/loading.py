"""A folder becomes a model of sentence-transformers, and what has to be known of it besides."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from sentence_transformers import CrossEncoder, SentenceTransformer

from prorank_search.errors import CheckpointError, ConfigError
from prorank_search.model_files import FACTS_FILE, weights_sha256
from prorank_search.scoring.device import choose_device
from prorank_search.settings import Settings

Model = CrossEncoder | SentenceTransformer

_Loaded = TypeVar("_Loaded", CrossEncoder, SentenceTransformer)

_VERSION = 1
"""Of what happens here between text and score."""


def device_of(settings: Settings) -> str:
    """Return where the model runs.

    Raises:
        ConfigError: This machine does not have it.
    """
    return str(choose_device(settings.device))


def load_cross_encoder(folder: Path, device: str, settings: Settings) -> CrossEncoder:
    """Load a cross-encoder.

    Raises:
        CheckpointError: It cannot be loaded, or answers with more than one number.
        ConfigError: It reads no texts as long as the settings say.
    """
    model: CrossEncoder = _load(CrossEncoder, folder, device, settings)
    if model.num_labels != 1:
        raise CheckpointError(
            f"{folder} answers with {model.num_labels} numbers a text: only a cross-encoder with one, a score, can rank"
        )
    return model


def load_bi_encoder(folder: Path, device: str, settings: Settings) -> SentenceTransformer:
    """Load a bi-encoder.

    Raises:
        CheckpointError: It cannot be loaded.
        ConfigError: It reads no texts as long as the settings say.
    """
    return _load(SentenceTransformer, folder, device, settings)


def revision_of(model: Model, folder: Path, settings: Settings) -> str:
    """Return a string that changes whenever a score may change."""
    digest = hashlib.sha256(f"{_VERSION} {settings.dtype} {weights_sha256(folder)}".encode())
    for file in sorted(folder.rglob("*.json")):
        if file.name != FACTS_FILE:
            digest.update(file.read_bytes())
    return f"{digest.hexdigest()[:16]}-{model.max_seq_length}"


def too_long(model: Model, *columns: Sequence[str]) -> list[bool]:
    """Return which texts are longer than the model reads.

    Args:
        model: Its tokenizer's state changes: nobody else may use it meanwhile.
        columns: Texts; for a cross-encoder queries, then texts.
    """
    if model.max_seq_length is None:
        return [False] * len(columns[0])
    rows = model.tokenizer(*map(list, columns), truncation=False, verbose=False)["input_ids"]
    return [len(row) > model.max_seq_length for row in rows]


def _load(kind: Callable[..., _Loaded], folder: Path, device: str, settings: Settings) -> _Loaded:
    dtype = "float32" if settings.dtype == "auto" else settings.dtype
    try:
        with redirect_stderr(io.StringIO()):  # transformers draws a bar there
            model = kind(str(folder), device=device, local_files_only=True, model_kwargs={"dtype": dtype})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError) as error:
        raise CheckpointError(
            f"sentence-transformers cannot load {folder}: {error}; is it whole, and of a version that is installed?"
        ) from error
    _set_length(model, settings, folder)
    return model


def _set_length(model: Model, settings: Settings, folder: Path) -> None:
    wanted, most = settings.max_length_tokens, model.max_seq_length
    if wanted is None:
        return
    if most is not None and wanted > most:
        raise ConfigError(
            f"max_length_tokens = {wanted}: {folder.name!r} reads up to {most} tokens; set {most} or less"
        )
    model.max_seq_length = wanted
