"""Models of a few kilobytes with random weights, a tokenizer with real special tokens, and a contract that holds."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from tokenizers.trainers import BpeTrainer
from transformers import AutoConfig, AutoModelForCausalLM

from prorank_search.model_files import CONTRACT_FILE
from prorank_search.scoring.loading import Loaded, load_engine
from prorank_search.scoring.verify import score_pair

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<bos>",
    "<start_of_turn>",
    "<end_of_turn>",
)

QUERY, TEXTS = "how fast does a fox run", ("A fox runs 50 km/h over the fields.", "Whales swim in the cold sea.")
"""The golden pair, in one order or the other: random weights have no opinion."""

_TEXT_OF_THE_VOCABULARY = (
    "Judge whether the document answers the query. Reply 1 if it is relevant, 0 if not. Query: how fast does a fox run "
    "Document: the river runs through the fields, and the whale swims in the sea. system user assistant model "
    "xxxxxxxx                def read_file(path): return path 河流 发动机 的 是 在 学生 测量"
)

_SIZES: dict[str, dict[str, object]] = {
    "llama": {"num_key_value_heads": 2},
    "qwen2": {"num_key_value_heads": 2},
    "gemma3_text": {
        "num_key_value_heads": 1,
        "head_dim": 16,
        "query_pre_attn_scalar": 24,
        "sliding_window": 8,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    },
}


@cache
def tokenizer_json() -> str:
    """Return a byte-level BPE of some hundred tokens in which each digit stands alone, as a `tokenizer.json`."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=512,
        min_frequency=1,
        initial_alphabet=ByteLevel.alphabet(),
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS],
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TEXT_OF_THE_VOCABULARY] * 4, trainer)
    return tokenizer.to_str()


def write_tokenizer(file: Path) -> Path:
    """Write the tokenizer and return its file."""
    file.write_text(tokenizer_json(), encoding="utf-8")
    return file


def write_model(folder: Path, model_type: str = "llama", *, seed: int = 0, **changes: object) -> Path:
    """Write config, weights and tokenizer, as `transformers` does, into a folder and return it.

    Args:
        folder: Made if it is not there.
        model_type: `llama`, `qwen2` or `gemma3_text`.
        seed: Of the weights; biases and norms are random too.
        **changes: To the configuration.
    """
    tokenizer = Tokenizer.from_str(tokenizer_json())
    sizes: dict[str, object] = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": tokenizer.token_to_id("<|im_end|>"),
        "pad_token_id": tokenizer.token_to_id("<|endoftext|>"),
    }
    config = AutoConfig.for_model(model_type, **(sizes | _SIZES[model_type] | changes))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    _randomise(model, seed)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    write_tokenizer(folder / "tokenizer.json")
    return folder


def write_contract(folder: Path, base_folder: Path | None = None, **changes: object) -> Path:
    """Write a `prorank.json` that holds for the weights of a folder, and return the folder.

    Args:
        folder: Where it goes.
        base_folder: Where the weights lie; None: in the same folder.
        **changes: To the contract, by key.
    """
    loaded = load(base_folder or folder)
    first, second = score_pair(loaded.engine, loaded.encoder, QUERY, TEXTS)
    relevant, irrelevant = TEXTS if first > second else TEXTS[::-1]
    contract: dict[str, object] = {
        "format": 1,
        "name": "tiny",
        "base": "",
        "license": "Apache-2.0",
        "template": loaded.encoder.template.name,
        "relevant_token_id": loaded.encoder.relevant_token,
        "irrelevant_token_id": loaded.encoder.irrelevant_token,
        "max_length_tokens": 128,
        "query_max_tokens": 24,
        "calibration": {"a": 0.5, "b": -0.25},
        "golden_pair": {
            "query": QUERY,
            "relevant": relevant,
            "irrelevant": irrelevant,
            "score_gap": abs(first - second),
            "tolerance": {"float32": 1e-3, "bfloat16": 0.5},
        },
        "training": {"recipe": "none: random weights"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONTRACT_FILE).write_text(json.dumps(contract | changes, indent=2), encoding="utf-8")
    return folder


def write_answers(folder: Path, relevant: int | None = None) -> Path:
    """Declare the weights in a folder a reranker by answer tokens, as sentence-transformers does; return the folder.

    Args:
        folder: Where the weights lie.
        relevant: Token id of the relevant answer; None: that of "1".
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    relevant = tokenizer.token_to_id("1") if relevant is None else relevant
    answers = {"true_token_id": relevant, "false_token_id": tokenizer.token_to_id("0")}
    kind = "sentence_transformers.cross_encoder.modules.logit_score.LogitScore"
    modules = [{"idx": 1, "name": "1", "path": "1_LogitScore", "type": kind}]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "1_LogitScore").mkdir()
    (folder / "1_LogitScore" / "config.json").write_text(json.dumps(answers), encoding="utf-8")
    return folder


def load(folder: Path, base_folder: Path | None = None, *, device: str = "cpu", dtype: str = "float32") -> Loaded:
    """Load a tiny model, on the CPU in fp32."""
    return load_engine("tiny", folder, base_folder or folder, device=device, dtype=dtype, max_length_tokens=None)


def _randomise(model: torch.nn.Module, seed: int) -> None:
    """Fill all weights so that activations neither vanish nor explode; `transformers` leaves biases and norms alone."""
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if "norm" in name:
                weight.add_(0.2 * torch.randn(weight.shape, generator=numbers))
            elif weight.ndim == 1 or "embed" in name or "lm_head" in name:
                weight.copy_(0.3 * torch.randn(weight.shape, generator=numbers))
            else:
                weight.copy_(weight.shape[1] ** -0.5 * torch.randn(weight.shape, generator=numbers))
