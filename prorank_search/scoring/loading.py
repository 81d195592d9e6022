"""From a model's folder to an engine that was seen to work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from prorank_search import checkpoint as checkpoints
from prorank_search.checkpoint import Checkpoint
from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.architectures import open_decoder
from prorank_search.scoring.device import choose_device, choose_dtype
from prorank_search.scoring.packed import pack
from prorank_search.scoring.torch_engine import TorchEngine
from prorank_search.scoring.verify import verify

SCORING_VERSION = 2
"""Raised by every change to this code that may change a score: cached scores of the one before are not used again."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to score.

    Attributes:
        checkpoint: What was loaded.
        encoder: Its prompt.
        engine: Its forward pass.
        revision: Of weights, template, length and number format: changes whenever a score may change.
    """

    checkpoint: Checkpoint
    encoder: PromptEncoder
    engine: TorchEngine
    revision: str


def load_engine(
    name: str, folder: Path, base_folder: Path, *, device: str, dtype: str, max_length_tokens: int | None
) -> Loaded:
    """Load a checkpoint onto a device and hold it to its contract.

    Args:
        name: Name of the model.
        folder: Where the contract lies, or the weights of a model without one.
        base_folder: Where the base weights lie.
        device: `auto`, `cpu`, `cuda` or `mps`.
        dtype: `auto`, `float32` or `bfloat16`.
        max_length_tokens: Tokens of the whole prompt; None: what the checkpoint says.

    Raises:
        CheckpointError: The checkpoint fails its contract.
        ConfigError: The device is not on this machine, or `max_length_tokens` leaves no room for a document.
    """
    place = choose_device(device)
    number_format = choose_dtype(dtype, place)
    checkpoint = checkpoints.load(name, folder, base_folder, number_format)
    encoder = checkpoint.encoder(max_length_tokens)
    weights = {key: tensor.to(place) for key, tensor in checkpoint.weights.items()}
    decoder = open_decoder(checkpoint.config, weights)
    pack(decoder.parameters())
    engine = TorchEngine(decoder, encoder.relevant_token, encoder.irrelevant_token)
    verify(checkpoint, engine, encoder, number_format)
    form = f"{str(number_format).removeprefix('torch.')}-{place.type}"
    return Loaded(checkpoint, encoder, engine, revision_of(checkpoint, encoder, form))


def revision_of(checkpoint: Checkpoint, encoder: PromptEncoder, form: str) -> str:
    """Return a string that changes whenever the same query and text may score differently.

    Args:
        checkpoint: The weights.
        encoder: The prompt: its template's pieces count, not only their name.
        form: Number format and device.
    """
    code = hashlib.sha256(f"{SCORING_VERSION} {encoder.template}".encode()).hexdigest()[:8]
    return f"{checkpoint.revision}-{encoder.template.name}-{encoder.max_length_tokens}-{form}-{code}"
