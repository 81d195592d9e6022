"""The model that a recipe trains: its decoder, its prompt, and the base that its difference is taken from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prorank_search import checkpoint as checkpoints
from prorank_search import models
from prorank_search.checkpoint import Checkpoint
from prorank_search.errors import ConfigError
from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.architectures import open_decoder
from prorank_search.scoring.decoder import Decoder
from prorank_search.scoring.device import choose_device
from prorank_search.scoring.llama import unfused_weights
from prorank_search.settings import Settings
from prorank_training.recipe import Recipe

FROZEN = ("model.embed_tokens.weight", "lm_head.weight")
"""Weights that no stage trains."""

Encoders = Mapping[int, PromptEncoder]
"""The prompt by the number of tokens that documents are cut to."""


@dataclass(frozen=True, slots=True)
class Trainee:
    """A model about to be trained.

    Attributes:
        decoder: Its weights in bf16, on their device.
        encoders: Its prompts.
    """

    decoder: Decoder
    encoders: Encoders


def open_trainee(recipe: Recipe, settings: Settings) -> Trainee:
    """Load the model that a recipe starts from.

    Raises:
        MissingModelError: It was never pulled.
        CheckpointError: It cannot be read, or its vocabulary has no single token for an answer.
        ConfigError: The recipe's prompt is another than the model's.
    """
    folder = models.model_folder(recipe.base, settings)
    start = checkpoints.load(recipe.base, folder, _base_folder(folder, settings), torch.bfloat16)
    if recipe.template not in {None, start.template}:
        raise ConfigError(
            f"{recipe.base} is asked with the prompt {start.template!r}, the recipe trains with {recipe.template!r}: "
            "leave `template` out of the recipe, or begin with another model"
        )
    device = choose_device(settings.device)
    decoder = open_decoder(start.config, {name: tensor.to(device) for name, tensor in start.weights.items()})
    return Trainee(decoder, encoders(start, recipe))


def put_weights(decoder: Decoder, weights: Mapping[str, Tensor]) -> None:
    """Copy weights into a decoder, in its own dtype."""
    own = decoder.parameters()
    for name in own.keys() & weights.keys():
        own[name].data.copy_(weights[name])


def encoders(start: Checkpoint, recipe: Recipe) -> Encoders:
    """Return the prompt, as the checkpoint will have it, for each length that the recipe cuts documents to."""
    return {
        int(tokens): PromptEncoder(
            start.tokenizer_file, start.template, recipe.max_length_tokens, recipe.query_max_tokens, int(tokens)
        )
        for tokens in recipe.score.document_tokens
    }


def open_base(recipe: Recipe, settings: Settings) -> Checkpoint:
    """Load, in fp32, the base that a difference is taken from: the recipe's, or the base of that.

    It goes by the name that pulls it: a hub's model by its id, not by its folder. Its prompt is that of the model that
    training starts from.
    """
    start = models.model_folder(recipe.base, settings)
    folder = _base_folder(start, settings)
    name = recipe.base if folder == start else models.base_of(start)
    base, contract = checkpoints.load(name, folder, folder, torch.float32), checkpoints.read_contract(start)
    return replace(base, template=contract.template) if contract else base


def training_before(recipe: Recipe, settings: Settings) -> dict[str, Any] | None:
    """Return how the checkpoint that a recipe goes on from was trained; None where it begins with a bare base."""
    contract = checkpoints.read_contract(models.model_folder(recipe.base, settings))
    return contract.training if contract else None


def by_transformers_names(weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return a decoder's weights by their names in `transformers`."""
    heads, kv_heads = int(config["num_attention_heads"]), int(config["num_key_value_heads"])
    head_dim = int(config.get("head_dim") or config["hidden_size"] // heads)
    return unfused_weights(weights, (heads, kv_heads, kv_heads), head_dim)


def _base_folder(folder: Path, settings: Settings) -> Path:
    contract = checkpoints.read_contract(folder)
    return models.model_folder(contract.base, settings) if contract and contract.base else folder
