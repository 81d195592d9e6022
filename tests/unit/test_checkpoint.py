from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from prorank_search.errors import CheckpointError
from prorank_search.model_files import ADAPTER_FILE, CONTRACT_FILE, FACTS_FILE
from prorank_search.types import Blend, Calibration
from tests.tiny_model import load, write_answers, write_contract, write_model

WEIGHT = "model.layers.0.mlp.down_proj.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_contract(write_model(tmp_path / "tiny"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = write_model(tmp_path / "base")
    (folder / "source.json").write_text(json.dumps({"sha256": "b" * 64}), encoding="utf-8")
    return folder


@pytest.fixture
def adapted(tmp_path: Path, base: Path) -> Path:
    """A contract and a small difference, apart from the base's weights."""
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    change = torch.linspace(-0.01, 0.01, 64 * 96).view(64, 96)
    save_file({f"{WEIGHT}.dense": change, "model.norm.weight.dense": torch.full((64,), 0.1)}, adapter / ADAPTER_FILE)
    write_contract(adapter, base, base="base", base_sha256="b" * 64)
    _edit(adapter, lambda contract: contract["golden_pair"].update(tolerance={"float32": 2.0}))
    return adapter


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    contract = json.loads((folder / CONTRACT_FILE).read_text("utf-8"))
    change(contract)
    (folder / CONTRACT_FILE).write_text(json.dumps(contract), encoding="utf-8")


def test_a_checkpoint_that_keeps_its_contract_loads(folder: Path) -> None:
    checkpoint = load(folder).checkpoint
    assert (checkpoint.name, checkpoint.state) == ("tiny", "prorank")
    assert checkpoint.calibration == Calibration(0.5, -0.25)
    assert checkpoint.blend is None
    encoder = checkpoint.encoder()
    assert (encoder.max_length_tokens, encoder.query_max_tokens) == (128, 24)


def test_its_own_blend_is_read(folder: Path) -> None:
    _edit(folder, lambda contract: contract.update(blend={"score_mode": "total", "normalize": "zscore"}))
    assert load(folder).checkpoint.blend == Blend("total", "zscore")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda contract: contract.update(relevant_token_id=5), "relevant_token_id and irrelevant_token_id are 5"),
        (lambda contract: contract["golden_pair"].update(score_gap=99.0), r"golden_pair\.score_gap is 99\.000"),
        (lambda contract: contract["golden_pair"].update(score_gap=-1.0), r"golden_pair\.score_gap"),
        (lambda contract: contract["golden_pair"].update(tolerance={"bfloat16": 1.0}), r"golden_pair\.tolerance"),
        (lambda contract: contract.update(temperature=1.0), "temperature"),
        (lambda contract: contract.pop("template"), "template"),
        (lambda contract: contract.update(template="chatty"), "template.*chatty"),
        (lambda contract: contract.update(calibration={"a": 1.0}), "calibration"),
        (lambda contract: contract.update(blend={"score_mode": "magic"}), r"blend\.score_mode"),
        (lambda contract: contract.update(format=2), "format"),
        (lambda contract: contract.update(max_length_tokens="long"), "max_length_tokens"),
        (lambda contract: contract.update(query_max_tokens=0), "query_max_tokens"),
    ],
)
def test_a_contract_that_does_not_hold_is_refused_by_line(
    folder: Path, change: Callable[[dict[str, Any]], object], line: str
) -> None:
    _edit(folder, change)
    with pytest.raises(CheckpointError, match=line):
        load(folder)


def test_answers_that_are_not_single_tokens_are_refused(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["vocab"]["one"] = tokenizer["model"]["vocab"].pop("1")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(CheckpointError, match="the answer '1' is 0 tokens"):
        load(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors"])
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name.replace("model", "").replace(".", r"\.")):
        load(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors", CONTRACT_FILE])
def test_a_file_that_was_cut_off_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:100])
    with pytest.raises(CheckpointError, match=name):
        load(folder)


def test_other_weights_do_not_separate_the_golden_pair(folder: Path) -> None:
    write_model(folder, seed=1)
    with pytest.raises(CheckpointError, match="weights, tokenizer or template are not those"):
        load(folder)


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    weights = {name: tensor * torch.nan for name, tensor in load(folder).checkpoint.weights.items()}
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="nan here"):
        load(folder)


def test_bf16_is_held_to_its_own_tolerance(folder: Path) -> None:
    assert load(folder, dtype="bfloat16").revision != load(folder).revision
    _edit(folder, lambda contract: contract["golden_pair"]["tolerance"].update(bfloat16=1e-9))
    with pytest.raises(CheckpointError, match="in bfloat16"):
        load(folder, dtype="bfloat16")


def test_a_difference_is_added_to_its_base(adapted: Path, base: Path) -> None:
    changed, plain = load(adapted, base).checkpoint.weights, load(base).checkpoint.weights
    torch.testing.assert_close(changed["model.norm.weight"], plain["model.norm.weight"] + 0.1)
    assert not changed[WEIGHT].equal(plain[WEIGHT])
    assert changed["model.embed_tokens.weight"].equal(plain["model.embed_tokens.weight"])


def test_another_base_than_the_contracts_is_refused(adapted: Path, base: Path) -> None:
    (base / "source.json").write_text(json.dumps({"sha256": "c" * 64}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"base_sha256 is bbbb.*cccc.*prorank models pull base"):
        load(adapted, base)


def test_an_adapter_of_another_base_is_refused(adapted: Path, tmp_path: Path) -> None:
    wider = write_model(tmp_path / "wider", hidden_size=128)
    with pytest.raises(CheckpointError, match=r"shape of 'model\.layers\.0\.mlp\.down_proj"):
        load(adapted, wider)


def test_an_adapter_that_is_missing_is_named(adapted: Path, base: Path) -> None:
    (adapted / ADAPTER_FILE).unlink()
    with pytest.raises(CheckpointError, match=ADAPTER_FILE):
        load(adapted, base)


def test_a_bare_base_is_untrained_and_has_its_familys_template(tmp_path: Path) -> None:
    llama, gemma = (load(write_model(tmp_path / kind, kind)).checkpoint for kind in ("llama", "gemma3_text"))
    assert (llama.state, llama.template) == ("untrained", "prorank-prefix-v1")
    assert (gemma.state, gemma.template) == ("untrained", "prorank-prefix-gemma-v1")
    assert (llama.contract, llama.calibration, llama.blend) == (None, None, None)


def test_a_folders_name_makes_no_reranker(tmp_path: Path) -> None:
    named = load(write_model(tmp_path / "mxbai-rerank-base-v2", "qwen2")).checkpoint
    assert (named.state, named.template) == ("untrained", "prorank-prefix-v1")


def test_a_reranker_is_known_by_its_modules_or_by_the_repository_it_was_pulled_from(tmp_path: Path) -> None:
    declared, pulled = write_model(tmp_path / "declared", "qwen2"), write_model(tmp_path / "pulled", "qwen2")
    write_answers(declared)
    facts = {"kind": "hub", "repository": "mixedbread-ai/mxbai-rerank-base-v2"}
    (pulled / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")
    for folder in (declared, pulled):
        checkpoint = load(folder).checkpoint
        assert (checkpoint.state, checkpoint.template) == ("foreign", "mxbai-rerank-v2")


def test_a_reranker_that_answers_otherwise_than_1_and_0_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "yes-or-no", "qwen2")
    write_answers(folder, relevant=7)
    with pytest.raises(CheckpointError, match=r"are 7, \d+ in 1_LogitScore/config\.json.*other answers"):
        load(folder)


def test_a_revision_follows_what_a_score_hangs_on(folder: Path, tmp_path: Path) -> None:
    revision = load(folder).checkpoint.revision
    assert load(folder).checkpoint.revision == revision
    moved = folder.rename(tmp_path / "a-place-further-on")
    assert load(moved).checkpoint.revision == revision
    _edit(moved, lambda contract: contract.update(query_max_tokens=20))
    assert load(moved).checkpoint.revision != revision
