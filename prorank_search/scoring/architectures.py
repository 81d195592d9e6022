"""Which decoder a checkpoint's `config.json` asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def open_decoder(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Decoder:
    """Build the decoder of a checkpoint.

    Args:
        config: Its `config.json`.
        weights: Its tensors, by their names in `transformers`.

    Raises:
        CheckpointError: No decoder here runs this architecture.
    """
    kind = config.get("model_type")
    if kind not in _DECODERS:
        raise CheckpointError(f"no decoder for model_type {kind!r}; known: {', '.join(_DECODERS)}")
    return _DECODERS[kind](config, weights)
