from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from prorank_search.errors import CheckpointError
from prorank_search.scoring import forward
from prorank_search.scoring.architectures import open_decoder
from prorank_search.scoring.arithmetic import rms_norm
from prorank_search.scoring.decoder import Decoder
from prorank_search.scoring.torch_engine import TorchEngine
from tests.tiny_model import write_model

RELEVANT, IRRELEVANT = 40, 39
PREFIX_LENGTHS, ROW_LENGTHS = (30, 1, 17), (40, 3, 12, 1, 33, 12)

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama untied": ("llama", {"tie_word_embeddings": False}),
    "llama ungrouped": ("llama", {"num_key_value_heads": 4, "rope_theta": 100_000.0}),
    "llama wide heads": ("llama", {"head_dim": 32}),
    "qwen2": ("qwen2", {}),
    "qwen2 untied": ("qwen2", {"tie_word_embeddings": False, "rope_theta": 1_000_000.0}),
    "gemma3": ("gemma3_text", {}),
    "gemma3 untied": ("gemma3_text", {"tie_word_embeddings": False}),
    "gemma3 all windows": ("gemma3_text", {"layer_types": ["sliding_attention"] * 3, "sliding_window": 5}),
    "gemma3 no windows": ("gemma3_text", {"layer_types": ["full_attention"] * 3}),
}


@pytest.fixture(scope="module", params=VARIANTS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model_type, changes = VARIANTS[request.param]
    return write_model(tmp_path_factory.mktemp("model"), model_type, **changes)


@pytest.fixture(
    params=["cpu", pytest.param("cuda", marks=pytest.mark.skipif("not __import__('torch').cuda.is_available()"))]
)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _open(folder: Path, device: str = "cpu") -> Decoder:
    weights = {name: tensor.to(device) for name, tensor in load_file(folder / "model.safetensors").items()}
    return open_decoder(json.loads((folder / "config.json").read_text("utf-8")), weights)


def _made_up() -> tuple[list[list[int]], list[list[int]]]:
    numbers = random.Random(0)
    prefixes, rows = (
        [[numbers.randrange(400) for _ in range(length)] for length in lengths]
        for lengths in (PREFIX_LENGTHS, ROW_LENGTHS)
    )
    return prefixes, rows


def _by_transformers(folder: Path, prompts: Sequence[Sequence[int]], device: str = "cpu") -> list[float]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    torch.nn.Module.to(model, device)
    scores = []
    with torch.inference_mode():
        for prompt in prompts:
            logits = model(torch.tensor([prompt], device=device)).logits[0, -1]
            scores.append((logits[RELEVANT] - logits[IRRELEVANT]).item())
    return scores


def test_scores_equal_those_of_transformers(folder: Path, device: str) -> None:
    engine = TorchEngine(_open(folder, device), RELEVANT, IRRELEVANT)
    prefixes, rows = _made_up()
    read = [engine.prefix(prefix) for prefix in prefixes]
    pairs = [(at % len(prefixes), row) for at, row in enumerate(rows)]
    expected = _by_transformers(folder, [[*prefixes[at], *row] for at, row in pairs], device)
    assert max(expected) - min(expected) > 0.5
    assert engine.score([(read[at], row) for at, row in pairs]) == pytest.approx(expected, abs=1e-4)
    alone = _by_transformers(folder, [[*prefixes[0], *row] for row in rows], device)
    assert engine.score([(read[0], row) for row in rows]) == pytest.approx(alone, abs=1e-4)


def test_a_score_does_not_depend_on_the_rows_beside_it(folder: Path, device: str) -> None:
    engine = TorchEngine(_open(folder, device), RELEVANT, IRRELEVANT)
    prefixes, rows = _made_up()
    read = [engine.prefix(prefix) for prefix in prefixes]
    pairs = [(read[at % len(read)], row) for at, row in enumerate(rows)]
    alone = [engine.score([pair])[0] for pair in pairs]
    assert engine.score(pairs) == pytest.approx(alone, abs=1e-4)
    assert engine.score(pairs[::-1])[::-1] == pytest.approx(alone, abs=1e-4)
    assert engine.score([*pairs, (read[0], [7] * 200)])[:-1] == pytest.approx(alone, abs=1e-4)


def test_windows_are_shorter_than_the_texts_and_matter(tmp_path: Path) -> None:
    folder = write_model(tmp_path, "gemma3_text")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    weights = load_file(folder / "model.safetensors")
    prefixes, rows = _made_up()

    def score(window: int) -> float:
        engine = TorchEngine(open_decoder(config | {"sliding_window": window}, weights), RELEVANT, IRRELEVANT)
        return engine.score([(engine.prefix(prefixes[0]), rows[0])])[0]

    assert config["sliding_window"] < min(len(prefixes[0]), len(rows[0]))
    assert abs(score(8) - score(500)) > 1e-2


def test_a_config_as_transformers_4_wrote_it_means_the_same(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    new = open_decoder(config, load_file(folder / "model.safetensors"))
    rope = config.pop("rope_parameters")
    if "full_attention" in rope:
        config["rope_theta"] = rope["full_attention"]["rope_theta"]
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    else:
        config["rope_theta"] = rope["rope_theta"]
    assert open_decoder(config, load_file(folder / "model.safetensors")).attentions == new.attentions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mamba"}, "mamba"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}}, "yarn"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": None}, "linear"),
        ({"hidden_act": "relu"}, "relu"),
        ({"use_sliding_window": True}, "use_sliding_window"),
        ({"num_hidden_layers": 4}, r"model\.layers\.3"),
    ],
)
def test_a_variant_that_is_not_done_here_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = write_model(tmp_path)
    config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    with pytest.raises(CheckpointError, match=message):
        open_decoder(config | changes, load_file(folder / "model.safetensors"))


def test_a_bias_that_nobody_would_add_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path, attention_bias=True)
    with pytest.raises(CheckpointError, match=r"k_proj\.bias"):
        _open(folder)


@pytest.mark.parametrize("weights_a_piece", [1, 800, 1 << 20])
@pytest.mark.parametrize("heads", [(4, 4), (4, 2), (6, 1)])
def test_attending_by_products_equals_the_fused_kernel_in_values_and_gradients(
    heads: tuple[int, int], weights_a_piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "_WEIGHTS_A_PIECE", weights_a_piece)
    numbers = torch.Generator().manual_seed(0)

    def tensor(*shape: int) -> Tensor:
        return torch.randn(shape, generator=numbers, requires_grad=True)

    q, k, v = tensor(3, heads[0], 7, 8), tensor(3, heads[1], 12, 8), tensor(3, heads[1], 12, 8)
    mask = (torch.arange(12) <= torch.arange(7)[:, None] + 5).expand(3, 1, 7, 12).clone()
    mask[1, :, :, :2] = False
    results = []
    for attend in (forward._attend_by_products, forward._attend_fused):  # noqa: SLF001 (two ways to one result)
        attended = attend(q, k, v, mask, 0.3)
        weights = torch.linspace(-1, 1, attended.numel()).view_as(attended)
        results.append((attended, *torch.autograd.grad((attended * weights).sum(), (q, k, v))))
    for products, fused in zip(*results, strict=True):
        torch.testing.assert_close(products, fused, atol=1e-5, rtol=1e-4)


def test_training_and_inference_get_the_same_hidden_states(folder: Path) -> None:
    decoder = _open(folder)
    prefixes, rows = _made_up()

    def hidden() -> Tensor:
        read = forward.read_prefixes(decoder, prefixes)
        return forward.last_hidden(decoder, rows, [read[at % len(read)] for at in range(len(rows))])

    with torch.inference_mode():
        expected = hidden()
    for weight in decoder.parameters().values():
        weight.requires_grad_()
    trained = hidden()
    torch.testing.assert_close(trained.detach(), expected.clone(), atol=1e-4, rtol=1e-4)
    trained.sum().backward()
    assert all(
        weight.grad is not None and weight.grad.isfinite().all()
        for name, weight in decoder.parameters().items()
        if name != "lm_head.weight"
    )


def test_the_gradient_of_a_shared_prefix_is_that_of_transformers(folder: Path) -> None:
    prefixes, rows = _made_up()
    decoder = _open(folder)
    parameters = decoder.parameters()
    name = "model.layers.0.mlp.down_proj.weight"
    parameters[name].requires_grad_()
    (prefix,) = forward.read_prefixes(decoder, [prefixes[0]])
    head = decoder.head_rows([RELEVANT, IRRELEVANT])
    (forward.last_hidden(decoder, rows, [prefix] * len(rows)) @ (head[0] - head[1])).sum().backward()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    for row in rows:
        logits = model(torch.tensor([[*prefixes[0], *row]])).logits[0, -1]
        (logits[RELEVANT] - logits[IRRELEVANT]).backward()
    expected = dict(model.named_parameters())[name].grad
    assert expected is not None
    torch.testing.assert_close(parameters[name].grad, expected, atol=2e-4, rtol=1e-3)


def test_the_norms_gradient_is_right() -> None:
    numbers = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 3, 5, generator=numbers, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, generator=numbers, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda hidden, weight: rms_norm(hidden, weight, 1e-6), (hidden, weight))


def test_the_norm_is_torchs() -> None:
    hidden, weight = torch.randn(4, 9, 16), torch.randn(16)
    torch.testing.assert_close(
        rms_norm(hidden, weight, 1e-5), torch.nn.functional.rms_norm(hidden, (16,), weight, 1e-5)
    )
