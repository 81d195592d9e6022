"""The Gemma 3 text architecture (Gemma Team, 2025): norms around both halves of a layer, windows in most layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from prorank_search.scoring.arithmetic import gated_linear, linear, rotate
from prorank_search.scoring.decoder import Attention, split_heads
from prorank_search.scoring.llama import fused_weights, head_name


class Gemma3Decoder:
    """Sandwich-normed layers; queries and keys are normed by head; norms multiply by 1 + weight.

    Args:
        config: The checkpoint's `config.json`.
        weights: Its tensors, by their names in `transformers`.
    """

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        heads, kv_heads = int(config["num_attention_heads"]), int(config["num_key_value_heads"])
        self.head_dim = int(config["head_dim"])
        self.counts = (heads, kv_heads, kv_heads)
        self.epsilon = float(config["rms_norm_eps"])
        self.hidden = int(config["hidden_size"])
        self.attentions = tuple(_attention(config, kind) for kind in _layer_types(config))
        self.weights = fused_weights(weights, len(self.attentions))
        self.head_name = head_name(weights, tied=bool(config.get("tie_word_embeddings", True)))

    def embed(self, ids: Tensor) -> Tensor:
        """Map ids (rows, tokens) to hidden states (rows, tokens, hidden), scaled by sqrt(hidden)."""
        table = self.weights["model.embed_tokens.weight"]
        scale = torch.tensor(self.hidden**0.5, dtype=table.dtype, device=table.device)
        return F.embedding(ids, table) * scale

    def project(self, layer: int, hidden: Tensor, angles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the normed and rotated queries and keys, and the values, of one layer."""
        at = f"model.layers.{layer}"
        normed = self._norm(hidden, f"{at}.input_layernorm.weight")
        projected = linear(normed, self.weights[f"{at}.self_attn.qkv_proj.weight"])
        queries, keys, values = split_heads(projected, self.counts, self.head_dim)
        queries = self._norm(queries, f"{at}.self_attn.q_norm.weight")
        keys = self._norm(keys, f"{at}.self_attn.k_norm.weight")
        return rotate(queries, angles), rotate(keys, angles), values

    def finish(self, layer: int, hidden: Tensor, attended: Tensor) -> Tensor:
        """Add what attention brought, then the feed-forward, each normed before it is added."""
        at = f"model.layers.{layer}"
        projected = linear(attended, self.weights[f"{at}.self_attn.o_proj.weight"])
        hidden = hidden + self._norm(projected, f"{at}.post_attention_layernorm.weight")
        normed = self._norm(hidden, f"{at}.pre_feedforward_layernorm.weight")
        inner = gated_linear(normed, self.weights, f"{at}.mlp", "gelu")
        forward = linear(inner, self.weights[f"{at}.mlp.down_proj.weight"])
        return hidden + self._norm(forward, f"{at}.post_feedforward_layernorm.weight")

    def norm(self, hidden: Tensor) -> Tensor:
        """Apply the last norm."""
        return self._norm(hidden, "model.norm.weight")

    def head_rows(self, token_ids: list[int]) -> Tensor:
        """Return the output head's rows (len(token_ids), hidden) of some tokens, unscaled."""
        table = self.weights[self.head_name]
        return table[torch.tensor(token_ids, device=table.device)]

    def parameters(self) -> dict[str, Tensor]:
        """Return all weights under the names they have here."""
        return self.weights

    def _norm(self, hidden: Tensor, name: str) -> Tensor:
        scale = 1.0 + self.weights[name].float()
        return F.rms_norm(hidden.float(), hidden.shape[-1:], scale, self.epsilon).to(hidden.dtype)


def _layer_types(config: Mapping[str, Any]) -> list[str]:
    if "layer_types" in config:
        return list(config["layer_types"])
    pattern = int(config.get("sliding_window_pattern") or 6)
    return [
        "sliding_attention" if (layer + 1) % pattern else "full_attention"
        for layer in range(int(config["num_hidden_layers"]))
    ]


def _attention(config: Mapping[str, Any], kind: str) -> Attention:
    local = kind == "sliding_attention"
    by_kind = (config.get("rope_parameters") or {}).get(kind) or {}
    before_v5 = config.get("rope_local_base_freq", 10_000.0) if local else config.get("rope_theta", 1_000_000.0)
    return Attention(
        scale=float(config["query_pre_attn_scalar"]) ** -0.5,
        window=int(config["sliding_window"]) if local else None,
        theta=float(by_kind.get("rope_theta") or before_v5),
    )
