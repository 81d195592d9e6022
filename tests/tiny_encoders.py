"""BERT models of a few kilobytes with random weights: a bi-encoder in ONNX, and both kinds of sentence-transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedModel, PreTrainedTokenizerFast

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HIDDEN, INNER, LAYERS, HEADS, MOST_TOKENS = 32, 48, 2, 2, 64


def write_tokenizer(file: Path) -> Tokenizer:
    """Write a WordPiece tokenizer of letters, digits and a few words, and return it."""
    tokenizer = Tokenizer(WordPiece({piece: at for at, piece in enumerate(_pieces())}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    tokenizer.save(str(file))
    return tokenizer


def _pieces() -> list[str]:
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    words = ["fox", "whale", "run", "swim", "fast", "how", "does", "query"]
    return list(dict.fromkeys([*SPECIAL_TOKENS, *words, *characters, *(f"##{character}" for character in characters)]))


def write_onnx(folder: Path, pooling: str = "cls", *, query_prefix: str = "query: ", seed: int = 0) -> Path:
    """Write an ONNX bi-encoder with its tokenizer and `embedding.json`, and return its folder.

    Each token's hidden state is its embedding and, so that the first token's says something, the mean of all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = write_tokenizer(folder / "tokenizer.json").get_vocab_size()
    weights = np.random.default_rng(seed).standard_normal((tokens, HIDDEN)).astype(np.float32)
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"])
    hidden = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", HIDDEN])
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["embedded"]),
        helper.make_node("ReduceMean", ["embedded"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Add", ["embedded", "mean"], ["last_hidden_state"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [ids], [hidden], [numpy_helper.from_array(weights, "weights")])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), folder / "model.onnx"
    )
    facts = {"pooling": pooling, "query_prefix": query_prefix, "max_length_tokens": MOST_TOKENS}
    (folder / "embedding.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def write_bi_encoder(folder: Path) -> Path:
    """Write a bi-encoder as older versions of sentence-transformers did, and return its folder."""
    _write(BertModel(_config()), folder)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")
    return folder


def write_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """Write a cross-encoder as transformers does, and return its folder."""
    config = _config()
    config.num_labels = labels
    return _write(BertForSequenceClassification(config), folder)


def _config() -> BertConfig:
    torch.manual_seed(0)
    return BertConfig(
        vocab_size=len(_pieces()),
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=MOST_TOKENS,
        initializer_range=0.5,
    )


def _write(model: PreTrainedModel, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=write_tokenizer(folder / "tokenizer.json"),
        model_max_length=MOST_TOKENS,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    )
    tokenizer.save_pretrained(folder)
    return folder
