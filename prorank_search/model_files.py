"""The files that lie beside a model's weights, by name; without torch, so that a missing model is told at once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from prorank_search.errors import CheckpointError

CONTRACT_FILE = "prorank.json"
"""A ProRank model's contract, beside its weights or adapter."""

ADAPTER_FILE = "adapter.safetensors"
"""A ProRank model's difference to its base."""

NOTICE_FILE = "NOTICE"
"""What the base's licence wants said beside a difference to it."""

FACTS_FILE = "source.json"
"""Where a pulled model comes from: written last, so a folder that has it is whole."""

ANSWERS_FILE = "1_LogitScore/config.json"
"""Where sentence-transformers keeps the ids of the two answer tokens of a reranker that `modules.json` declares."""

MODULES_FILE = "modules.json"
"""The parts of a model in the form of sentence-transformers, some of them in folders of their own."""

_RELEASED = ("mixedbread-ai/mxbai-rerank-base-v2", "mixedbread-ai/mxbai-rerank-large-v2")
"""The released ProRank models; their first revisions have no `modules.json`."""


def read_json(file: Path) -> dict[str, Any]:
    """Read a model's configuration, contract or facts.

    Raises:
        CheckpointError: The file is no JSON object, or cannot be read.
    """
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file} cannot be read ({error}): pull or train the model again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{file} is not a JSON object: pull or train the model again")
    return value


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what was noted when a model was pulled; nothing for a folder that was not.

    Raises:
        CheckpointError: The file is there and cannot be read.
    """
    file = folder / FACTS_FILE
    return read_json(file) if file.is_file() else {}


def sha256_of(file: Path) -> str:
    """Return a file's sha256 in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def weights_sha256(folder: Path) -> str:
    """Return the sha256 of a model's weights, as it was noted when they were pulled, else of the files.

    Raises:
        CheckpointError: What was noted cannot be read.
    """
    noted = read_facts(folder).get("weights_sha256")
    parts = [path for path in sorted(folder.glob("*")) if path.suffix in {".safetensors", ".onnx"}]
    return str(noted or " ".join(map(sha256_of, parts)))


def scores_by_answers(folder: Path) -> bool:
    """Tell whether somebody made a model for scores from two answer tokens: its files say so, never its name.

    Raises:
        CheckpointError: A file is there and cannot be read.
    """
    modules = folder / MODULES_FILE
    declared = modules.is_file() and "LogitScore" in modules.read_text(encoding="utf-8", errors="replace")
    return declared or read_facts(folder).get("repository") in _RELEASED
