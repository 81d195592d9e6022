"""Which decoder a checkpoint's `config.json` asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from prorank_search.errors import CheckpointError
from prorank_search.scoring.decoder import Decoder
from prorank_search.scoring.gemma3 import Gemma3Decoder
from prorank_search.scoring.llama import LlamaDecoder

_DECODERS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Tensor]], Decoder]] = {
    "llama": LlamaDecoder,
    "qwen2": LlamaDecoder,
    "gemma3_text": Gemma3Decoder,
}


_BIASES = {
    "llama": (".bias",),
    "qwen2": ("o_proj.bias", "gate_proj.bias", "up_proj.bias", "down_proj.bias"),
    "gemma3_text": (".bias",),
}
"""Endings of weights that nobody here would multiply with."""

_ACTIVATIONS = {"llama": "silu", "qwen2": "silu", "gemma3_text": "gelu_pytorch_tanh"}


def open_decoder(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Decoder:
    """Build the decoder of a checkpoint.

    Args:
        config: Its `config.json`.
        weights: Its tensors, by their names in `transformers`.

    Raises:
        CheckpointError: No decoder here runs this architecture, or not in the variant that the config asks for.
    """
    kind = config.get("model_type")
    if kind not in _DECODERS:
        raise CheckpointError(f"no decoder for model_type {kind!r}; known: {', '.join(_DECODERS)}")
    for asked in _not_done_here(kind, config, weights):
        raise CheckpointError(f"the {kind} decoder here does not do {asked}, which this model's config.json asks for")
    try:
        return _DECODERS[kind](config, weights)
    except KeyError as error:
        raise CheckpointError(f"{error} is missing in this {kind} model's config.json or among its weights") from error


def _not_done_here(kind: str, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield what would change scores if it were ignored."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    for parameters in (rope, *(value for value in rope.values() if isinstance(value, Mapping))):
        rope_type = parameters.get("rope_type") or parameters.get("type") or "default"
        if rope_type != "default":
            yield f"rope_type={rope_type!r}"
    activation = config.get("hidden_act") or config.get("hidden_activation") or _ACTIVATIONS[kind]
    if activation != _ACTIVATIONS[kind]:
        yield f"activation {activation!r}"
    yield from (f"{key}=true" for key in ("use_sliding_window", "use_bidirectional_attention") if config.get(key))
    yield from (f"the weight {name!r}" for name in weights if name.endswith(_BIASES[kind]))
