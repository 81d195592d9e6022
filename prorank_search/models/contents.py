"""What lies in a model's folder, told by its files, and which rescorer takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prorank_search.errors import CheckpointError
from prorank_search.model_files import CONTRACT_FILE, MODULES_FILE, read_json, scores_by_answers

ModelRescorer = Literal["prorank", "embedding", "sentence-transformers"]
"""A rescorer that takes models, by the name that `--rescorer` has for it."""

WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"

EMBEDDING_FILE = "embedding.json"
"""How an ONNX bi-encoder's output becomes a vector, beside its weights and tokenizer."""


class EmbeddingFacts(BaseModel):
    """How an ONNX bi-encoder is used: what stands in its `embedding.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pooling: Literal["cls", "mean"] = Field(description="The first token's hidden state, or the mean over all tokens.")
    query_prefix: str = Field("", description="What stands before a query, and before no document.")
    max_length_tokens: int = Field(512, ge=32, description="The most tokens that the model can read.")


def read_embedding_facts(folder: Path) -> EmbeddingFacts:
    """Read the `embedding.json` of a folder.

    Raises:
        CheckpointError: It cannot be read, or says something else than it may.
    """
    file = folder / EMBEDDING_FILE
    try:
        return EmbeddingFacts.model_validate(read_json(file))
    except ValidationError as error:
        raise CheckpointError(f"{file} cannot be used: {error}; correct it, or pull the model again") from error


def holds_model(folder: Path) -> bool:
    """Return whether a folder holds a model: weights, or a contract with an adapter."""
    return holds_weights(folder) or holds_embedding(folder) or (folder / CONTRACT_FILE).is_file()


def holds_weights(folder: Path) -> bool:
    """Return whether a folder holds a config and weights."""
    weights = (WEIGHTS_FILE, f"{WEIGHTS_FILE}.index.json")
    return (folder / "config.json").is_file() and any((folder / name).is_file() for name in weights)


def holds_embedding(folder: Path) -> bool:
    """Return whether a folder holds an ONNX bi-encoder."""
    return all((folder / name).is_file() for name in (EMBEDDING_FILE, ONNX_FILE, TOKENIZER_FILE))


def part_folders(folder: Path) -> list[Path]:
    """Return the folders inside a model's folder that belong to it: those of a bi-encoder's parts."""
    parts = folder.glob("*/config.json") if (folder / MODULES_FILE).is_file() else ()
    return sorted(part.parent for part in parts)


def weights_file(folder: Path) -> Path:
    """Return the file in which a model's weights lie; it need not be there."""
    return folder / (ONNX_FILE if holds_embedding(folder) else WEIGHTS_FILE)


def rescorer_for(folder: Path) -> ModelRescorer:
    """Return which rescorer takes the model in a folder.

    Raises:
        CheckpointError: Its configuration cannot be read.
    """
    if (folder / CONTRACT_FILE).is_file() or scores_by_answers(folder):
        return "prorank"
    if holds_embedding(folder):
        return "embedding"
    return "sentence-transformers" if is_bi_encoder(folder) or is_cross_encoder(folder) else "prorank"


def is_bi_encoder(folder: Path) -> bool:
    """Return whether a folder has the form of a sentence-transformers bi-encoder.

    Raises:
        CheckpointError: Its configuration cannot be read.
    """
    return (folder / MODULES_FILE).is_file() and not is_cross_encoder(folder)


def is_cross_encoder(folder: Path) -> bool:
    """Return whether the model in a folder reads query and text together and answers with numbers.

    Its own configuration says so since sentence-transformers 5; before, its architecture did.

    Raises:
        CheckpointError: Its configuration cannot be read.
    """
    ours, config = folder / "config_sentence_transformers.json", folder / "config.json"
    model_type = read_json(ours).get("model_type") if ours.is_file() else None
    if model_type is not None:
        return bool(model_type == "CrossEncoder")
    if (folder / MODULES_FILE).is_file() or not config.is_file():
        return False
    architectures = read_json(config).get("architectures") or [""]
    return str(architectures[0]).endswith("ForSequenceClassification")
