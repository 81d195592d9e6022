"""A quantised GGUF file becomes plain weights: done once, when a base model is pulled."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stderr
from pathlib import Path

import torch
from gguf import GGUFReader
from safetensors import SafetensorError
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from prorank_search.errors import MissingModelError


def dequantise(gguf: Path, folder: Path) -> None:
    """Write a GGUF file's model into a folder as `config.json`, bfloat16 `model.safetensors` and tokenizer files.

    What transformers loads from GGUF still calls itself quantised and cannot be saved; here its tensors, its config
    without `quantization_config` and its tokenizer are saved one by one.

    Raises:
        OSError: The folder cannot be written.
        MissingModelError: transformers did not dequantise.
    """
    with redirect_stderr(io.StringIO()):  # transformers draws a bar there that nothing else switches off
        _save_tokenizer(gguf, folder)
        _save_weights(gguf, folder)


def _save_weights(gguf: Path, folder: Path) -> None:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, local_files_only=True
    )
    if any(tensor.dtype != torch.float32 for tensor in model.state_dict().values()):
        raise MissingModelError(
            f"transformers left the weights of {gguf.name} in quantised blocks: uninstall the package 'kernels' and "
            "pull again"
        )
    config = model.config
    del config.quantization_config
    config.dtype = torch.bfloat16
    config.architectures = [type(model).__name__]
    weights = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    if config.tie_word_embeddings:
        weights.pop("lm_head.weight", None)
    config.save_pretrained(folder)
    try:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    except SafetensorError as error:
        raise OSError(f"writing model.safetensors: {error}") from error
    shutil.copymode(folder / "config.json", folder / "model.safetensors")  # safetensors lets nobody else read it


def _save_tokenizer(gguf: Path, folder: Path) -> None:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        gguf.parent, gguf_file=gguf.name, local_files_only=True
    )
    if _pre_tokenizer_name(gguf) == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
        )
    tokenizer.save_pretrained(folder)


def _pre_tokenizer_name(gguf: Path) -> str:
    """Return how the file says that text is cut before BPE; transformers does not read it.

    Llama-like files all get GPT-2's rule from transformers, but SmolLM2 was trained on single digits of every script.
    """
    field = GGUFReader(gguf).fields.get("tokenizer.ggml.pre")
    return str(field.contents()) if field else ""
