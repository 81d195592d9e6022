"""The Llama architecture (SmolLM2), and Qwen2, which is Llama with a bias on queries, keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from prorank_search.scoring.arithmetic import gated_linear, linear, linear_onto, rms_norm, rotate
from prorank_search.scoring.decoder import Attention, fuse, split_heads


class LlamaDecoder:
    """Pre-norm layers of grouped-query attention and a SwiGLU feed-forward (Touvron et al., 2023).

    Args:
        config: The checkpoint's `config.json`.
        weights: Its tensors, by their names in `transformers`.
    """

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        heads, kv_heads = int(config["num_attention_heads"]), int(config["num_key_value_heads"])
        self.head_dim = int(config.get("head_dim") or config["hidden_size"] // heads)
        self.counts = (heads, kv_heads, kv_heads)
        self.epsilon = float(config["rms_norm_eps"])
        layers = int(config["num_hidden_layers"])
        attention = Attention(scale=self.head_dim**-0.5, window=None, theta=rope_theta(config))
        self.attentions = (attention,) * layers
        self.weights = fused_weights(weights, layers)
        self.head_name = head_name(weights, tied=bool(config.get("tie_word_embeddings", False)))

    def embed(self, ids: Tensor) -> Tensor:
        """Map ids (rows, tokens) to hidden states (rows, tokens, hidden)."""
        return F.embedding(ids, self.weights["model.embed_tokens.weight"])

    def project(self, layer: int, hidden: Tensor, angles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rotated queries and keys, and the values, of one layer."""
        at = f"model.layers.{layer}"
        normed = rms_norm(hidden, self.weights[f"{at}.input_layernorm.weight"], self.epsilon)
        bias = self.weights.get(f"{at}.self_attn.qkv_proj.bias")
        projected = linear(normed, self.weights[f"{at}.self_attn.qkv_proj.weight"], bias)
        heads, kv_heads, _ = self.counts
        unrotated, values = split_heads(projected, (heads + kv_heads, kv_heads), self.head_dim)
        queries, keys = rotate(unrotated, angles).split((heads, kv_heads), dim=1)
        return queries, keys, values

    def finish(self, layer: int, hidden: Tensor, attended: Tensor) -> Tensor:
        """Add what attention brought, then the feed-forward."""
        at = f"model.layers.{layer}"
        hidden = linear_onto(hidden, attended, self.weights[f"{at}.self_attn.o_proj.weight"])
        normed = rms_norm(hidden, self.weights[f"{at}.post_attention_layernorm.weight"], self.epsilon)
        inner = gated_linear(normed, self.weights, f"{at}.mlp", "silu")
        return linear_onto(hidden, inner, self.weights[f"{at}.mlp.down_proj.weight"])

    def norm(self, hidden: Tensor) -> Tensor:
        """Apply the last norm."""
        return rms_norm(hidden, self.weights["model.norm.weight"], self.epsilon)

    def head_rows(self, token_ids: list[int]) -> Tensor:
        """Return the output head's rows (len(token_ids), hidden) of some tokens."""
        table = self.weights[self.head_name]
        return table[torch.tensor(token_ids, device=table.device)]

    def parameters(self) -> dict[str, Tensor]:
        """Return all weights under the names they have here."""
        return self.weights


def rope_theta(config: Mapping[str, Any]) -> float:
    """Return the base of the rotary angles, from where transformers 4 or 5 writes it."""
    parameters = config.get("rope_parameters") or {}
    return float(parameters.get("rope_theta") or config.get("rope_theta") or 10_000.0)


def head_name(weights: Mapping[str, Tensor], *, tied: bool) -> str:
    """Return the name of the output head's weight: the embedding's where both are one."""
    return "lm_head.weight" if "lm_head.weight" in weights and not tied else "model.embed_tokens.weight"


FUSED = {
    "self_attn.qkv_proj": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "mlp.gate_up_proj": ("mlp.gate_proj", "mlp.up_proj"),
}
"""Weights that are multiplied with the same input, and stand here as one."""


def fused_weights(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Return the weights with those of `FUSED` stacked into one, biases too where there are any."""
    fused = dict(weights)
    for layer in range(layers):
        for name, parts in FUSED.items():
            for kind in ("weight", "bias"):
                names = [f"model.layers.{layer}.{part}.{kind}" for part in parts]
                if kind == "weight" or names[0] in fused:
                    fused[f"model.layers.{layer}.{name}.{kind}"] = fuse(fused, names)
                    for part in names:
                        del fused[part]
    return fused


def unfused_weights(weights: Mapping[str, Tensor], counts: tuple[int, int, int], head_dim: int) -> dict[str, Tensor]:
    """Undo `fused_weights`: return the tensors by their names in `transformers`."""
    unfused: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        fused = next((fused for fused in FUSED if f".{fused}." in name), None)
        if fused is None:
            unfused[name] = tensor
            continue
        sizes = [count * head_dim for count in counts] if "qkv" in fused else [tensor.shape[0] // 2] * 2
        for part, piece in zip(FUSED[fused], tensor.split(sizes), strict=True):
            unfused[name.replace(fused, part)] = piece
    return unfused
