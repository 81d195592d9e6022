"""The default model of a home: promoted, shown, taken back, and what goes before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search import models, promotions
from prorank_search.cli import app
from prorank_search.errors import ConfigError, InputError
from prorank_search.model_files import CONTRACT_FILE
from prorank_search.models import promotion
from prorank_search.settings import DEFAULT_MODEL, load_settings
from tests import tiny_model


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model that loads, as a run leaves it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_DEVICE", "cpu")
    monkeypatch.setenv("PRORANK_DTYPE", "float32")
    folder = tiny_model.write_model(tmp_path / "run" / "checkpoint")
    return tiny_model.write_contract(folder, name="handbook, 2nd try")


def prorank(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *map(str, arguments)])
    return result.exit_code, result.stdout + result.stderr


def test_a_promoted_model_is_the_default_until_it_is_taken_back(prorank_home: Path) -> None:
    promotions.promote(prorank_home, "first")
    promotions.promote(prorank_home, "second")
    promotions.promote(prorank_home, "second")
    settings = load_settings()
    assert (settings.model, settings.origin("model")) == ("second", str(prorank_home / "promoted.json"))
    assert promotions.demote(prorank_home).model == "second"
    assert load_settings().model == "first"
    promotions.demote(prorank_home)
    assert (load_settings().model, load_settings().origin("model")) == (DEFAULT_MODEL, "default")
    with pytest.raises(InputError, match="nothing to undo"):
        promotions.demote(prorank_home)


def test_flag_variable_and_file_go_before_a_promotion(
    prorank_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    promotions.promote(prorank_home, "promoted")
    (tmp_path / "prorank.toml").write_text('model = "of the file"\n[profiles.books]\nmodel = "of the profile"\n')
    assert load_settings().model == "of the file"
    assert load_settings(index="books").model == "of the profile"
    monkeypatch.setenv("PRORANK_MODEL", "of the variable")
    assert load_settings().model == "of the variable"
    given = load_settings(model="of the flag")
    assert promotion.followed(given).model == "of the flag"


def test_a_home_whose_promotions_cannot_be_read_says_so(prorank_home: Path) -> None:
    prorank_home.mkdir()
    (prorank_home / promotions.FILE_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"promoted\.json cannot be read"):
        load_settings()


def test_settings_that_are_in_use_follow_a_promotion(prorank_home: Path) -> None:
    settings = load_settings()
    promotions.promote(prorank_home, "promoted")
    followed = promotion.followed(settings)
    assert (followed.model, followed.origin("model")) == ("promoted", str(prorank_home / "promoted.json"))
    promotions.demote(prorank_home)
    assert promotion.followed(settings).model == DEFAULT_MODEL
    assert promotion.followed(followed).model == DEFAULT_MODEL


def test_the_command_keeps_a_copy_of_a_checkpoint_and_says_what_is_in_force(checkpoint: Path) -> None:
    code, said = prorank("promote", checkpoint)
    assert code == 0, said
    name = load_settings().model
    assert name.startswith("handbook-2nd-try-")
    assert f"in force: {name}" in said
    (checkpoint / CONTRACT_FILE).unlink()
    kept = models.model_folder(name, load_settings())
    assert json.loads((kept / CONTRACT_FILE).read_text())["name"] == "handbook, 2nd try"
    shown = json.loads(CliRunner().invoke(app, ["config", "show", "--json"]).stdout)["settings"]["model"]
    assert shown == {"value": name, "from": str(load_settings().home / "promoted.json")}
    code, said = prorank("demote")
    assert (code, load_settings().model) == (0, DEFAULT_MODEL)
    assert f"took back {name}" in said
    assert json.loads(prorank("promote", name, "--json")[1]) == {
        "promoted": name,
        "in_force": name,
        "from": str(load_settings().home / "promoted.json"),
    }
    assert json.loads(prorank("demote", "--json")[1])["took_back"] == name


def test_the_same_checkpoint_is_kept_once_and_another_beside_it(checkpoint: Path) -> None:
    first = promotion.promote(str(checkpoint), load_settings())
    assert promotion.promote(str(checkpoint), load_settings()) == first
    (checkpoint / CONTRACT_FILE).unlink()
    tiny_model.write_contract(tiny_model.write_model(checkpoint, seed=1), name="handbook, 2nd try")
    assert promotion.promote(str(checkpoint), load_settings()) != first
    assert promotion.promote(first, load_settings()) == first


def test_what_does_not_load_is_not_promoted(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").write_bytes(b"no weights")
    code, said = prorank("promote", checkpoint)
    assert code != 0, said
    assert load_settings().model == DEFAULT_MODEL


def test_a_bare_base_is_not_promoted(checkpoint: Path) -> None:
    (checkpoint / CONTRACT_FILE).unlink()
    with pytest.raises(ConfigError, match="is a base without"):
        promotion.promote(str(checkpoint), load_settings())
