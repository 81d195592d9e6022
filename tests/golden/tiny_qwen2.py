"""A Qwen2 checkpoint with the real vocabulary and random weights that are the same everywhere.

Neither weights nor vocabulary are committed: the weights follow from a seed, the vocabulary is fetched by
`fetch_qwen_vocabulary.py`. Needs nothing of this project, so that `make_mxbai.py` runs it in its own environment.
"""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

SEED = 2506

CONFIG: dict[str, object] = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_act": "silu",
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000.0,
    "attention_dropout": 0.0,
    "tie_word_embeddings": True,
    "use_sliding_window": False,
    "bos_token_id": 151643,
    "eos_token_id": 151645,
    "pad_token_id": 151643,
    "vocab_size": 151936,
}
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
"""Their ids follow the vocabulary's: 151643, 151644, 151645."""

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2 cuts text before BPE."""


def write_checkpoint(vocabulary: Path, folder: Path) -> Path:
    """Write config, weights and tokenizer into a folder that exists; return it."""
    save_file(random_weights(), folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(folder / "config.json", CONFIG | {"torch_dtype": "float32"})
    tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
    )
    return folder


def random_weights(seed: int = SEED) -> dict[str, NDArray[np.float32]]:
    """Return the weights by name: normal numbers of a frozen generator, large enough for scores to differ."""
    numbers = np.random.RandomState(seed)  # numpy never changes what this generator gives
    hidden, inner, layers, kv, vocabulary = 64, 160, 3, 32, 151936

    def normal(*shape: int, scale: float) -> NDArray[np.float32]:
        return (numbers.standard_normal(shape) * scale).astype(np.float32)

    weights = {"model.embed_tokens.weight": normal(vocabulary, hidden, scale=0.3)}
    for layer in range(layers):
        at = f"model.layers.{layer}"
        for name, rows in (("q", hidden), ("k", kv), ("v", kv)):
            weights[f"{at}.self_attn.{name}_proj.weight"] = normal(rows, hidden, scale=hidden**-0.5)
            weights[f"{at}.self_attn.{name}_proj.bias"] = normal(rows, scale=0.2)
        weights[f"{at}.self_attn.o_proj.weight"] = normal(hidden, hidden, scale=hidden**-0.5)
        for name, shape in (("gate", (inner, hidden)), ("up", (inner, hidden)), ("down", (hidden, inner))):
            weights[f"{at}.mlp.{name}_proj.weight"] = normal(*shape, scale=shape[1] ** -0.5)
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{at}.{name}.weight"] = 1 + normal(hidden, scale=0.1)
    weights["model.norm.weight"] = 1 + normal(hidden, scale=0.1)
    return weights


def tokenizer(vocabulary: Path) -> Tokenizer:
    """Return Qwen2's tokenizer, built from its file of ranked byte strings."""
    ranks = {
        base64.b64decode(token): int(rank)
        for token, _, rank in (line.partition(b" ") for line in vocabulary.read_bytes().splitlines())
    }
    letters = _byte_letters()
    written = {token: "".join(letters[byte] for byte in token) for token in ranks}
    parts = [_last_merge(token, ranks) for token in ranks if len(token) > 1]
    merges = [(written[left], written[right]) for left, right in parts]
    made = Tokenizer(BPE(vocab={written[token]: rank for token, rank in ranks.items()}, merges=merges))
    made.normalizer = NFC()
    made.pre_tokenizer = Sequence(
        [Split(Regex(_WORDS), behavior="isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    made.decoder = ByteLevelDecoder()
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    return made


def _last_merge(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two parts that BPE joins last to make a token: merge by rank until two are left."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(left + right, len(ranks)) for left, right in pairwise(parts)]
        at = min(range(len(pairs)), key=pairs.__getitem__)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


def _byte_letters() -> dict[int, str]:
    """Return the printable letter that byte-level BPE writes for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + at) for at, byte in enumerate(others)}


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
