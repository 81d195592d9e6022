from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from prorank_search.checkpoint import Contract, read_contract
from prorank_search.errors import CheckpointError, ConfigError, InputError
from prorank_search.model_files import ADAPTER_FILE, CONTRACT_FILE, FACTS_FILE, NOTICE_FILE
from prorank_search.rescorers.prorank import open_rescorer
from prorank_search.settings import Settings
from prorank_search.types import Calibration, ScoreRequest
from prorank_training import export, stage2_score
from prorank_training.difference_forms import make_difference, size_mb
from prorank_training.group_scores import Reading, group_scores
from prorank_training.recipe import Recipe
from prorank_training.run_folder import RunFolder
from prorank_training.trainee import FROZEN, by_transformers_names, open_base, open_trainee
from tests.training.tiny_training import dev_queries, groups, recipe, settings

WANTED = recipe(steps=60, evaluate_every=0)


@pytest.fixture(scope="module", params=["llama", "gemma3_text"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings(tmp_path_factory.mktemp("home"), request.param)


@pytest.fixture(scope="module")
def whole_run(tiny: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    folder.begin(WANTED)
    stage2_score.run(open_trainee(WANTED, tiny), groups(), dev_queries(), WANTED, folder, lambda *_: None)
    return folder.path


@pytest.fixture
def trained(whole_run: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(shutil.copytree(whole_run, tmp_path / "run"))


def in_form(form: str) -> Recipe:
    return WANTED.model_copy(update={"export": WANTED.export.model_copy(update={"form": form})})


def write(wanted: Recipe, folder: RunFolder, tiny: Settings) -> tuple[Contract, Path]:
    out = folder.path / "checkpoint"
    return export.run(wanted, folder, dev_queries(), tiny, out, lambda *_: None), out


def scores_of_the_trained_weights(folder: RunFolder, tiny: Settings, query: str, texts: list[str]) -> list[float]:
    """Score with the fp32 weights that training ended with."""
    base = open_base(WANTED, tiny)
    trainee = open_trainee(WANTED, tiny)
    weights = trainee.decoder.parameters()
    for name, tensor in folder.trained_weights(stage2_score.STAGE)[1].items():
        weights[name] = tensor
    frozen = {name: base.weights[name] for name in FROZEN if name in base.weights}
    weights.update(frozen)
    with torch.no_grad():
        (of_texts,) = group_scores(trainee.decoder, [Reading(trainee.encoders[32], query, texts)], 512)
        scores: list[float] = of_texts.tolist()
    return scores


@pytest.mark.parametrize(("form", "close"), [("low-rank-64", 0.03), ("4-bit", 0.3), ("low-rank-32-4-bit", 0.5)])
def test_an_exported_model_scores_as_the_trained_one(
    trained: RunFolder, tiny: Settings, form: str, close: float
) -> None:
    _, out = write(in_form(form), trained, tiny)
    query, texts = dev_queries()[0].query, dev_queries()[0].texts
    rescorer = open_rescorer(tiny.model_copy(update={"model": str(out)}))
    scored = [one.score for one in rescorer.score(ScoreRequest(query, texts))]
    rescorer.close()
    assert scored == pytest.approx(scores_of_the_trained_weights(trained, tiny, query, texts), abs=close)
    assert rescorer.info.model == "tiny-prorank"
    assert rescorer.info.reason == ""


def test_a_checkpoint_tells_its_rescorer_calibration_and_blend(trained: RunFolder, tiny: Settings) -> None:
    contract, out = write(WANTED, trained, tiny)
    rescorer = open_rescorer(tiny.model_copy(update={"model": str(out)}))
    rescorer.close()
    assert contract.calibration is not None
    assert rescorer.info.calibration == contract.calibration
    assert contract.blend is not None
    assert rescorer.info.blend == contract.blend


def test_a_contract_says_how_the_model_was_made_and_what_it_reached(trained: RunFolder, tiny: Settings) -> None:
    contract, out = write(WANTED, trained, tiny)
    assert read_contract(out) == contract
    assert contract.base == "tiny"
    assert contract.training["recipe_hash"] == WANTED.digest()
    assert contract.training["steps"] == WANTED.score.steps
    assert contract.training["groups"] == 180
    assert contract.results["dev"]["collections"].keys() == {"animals0", "animals1"}
    assert contract.results["dev"]["collections"]["animals0"]["queries"] == 3


def test_a_model_comes_under_the_licence_of_its_base_and_says_what_that_wants_said(
    trained: RunFolder, tiny: Settings
) -> None:
    facts = tiny.home / "models" / "tiny" / FACTS_FILE
    facts.write_text(json.dumps({"license": "Terms of Use", "notice": "Under the Terms of Use."}), encoding="utf-8")
    contract, out = write(WANTED, trained, tiny)
    notice = (out / NOTICE_FILE).read_text(encoding="utf-8")
    assert (contract.license, notice.splitlines()[0]) == ("Terms of Use", "Under the Terms of Use.")
    facts.unlink()
    own = WANTED.model_copy(update={"export": WANTED.export.model_copy(update={"license": "MIT"})})
    contract, out = write(own, trained, tiny)
    assert (contract.license, (out / NOTICE_FILE).exists()) == ("MIT", False)


def test_a_contract_says_how_the_model_it_goes_on_from_was_made(
    trained: RunFolder, tiny: Settings, tmp_path: Path
) -> None:
    first, out = write(WANTED, trained, tiny)
    assert first.training["before"] is None
    wanted = WANTED.model_copy(update={"base": str(out)})
    folder = RunFolder(tmp_path / "second")
    folder.begin(wanted)
    stage2_score.run(open_trainee(wanted, tiny), groups(), [], wanted, folder, lambda *_: None)
    second, _ = write(wanted, folder, tiny)
    assert second.training["before"] == first.training
    assert second.base == "tiny"


def test_a_second_export_reads_no_dev_query_again(trained: RunFolder, tiny: Settings) -> None:
    first, _ = write(WANTED, trained, tiny)
    seen: list[int] = []
    out = trained.path / "checkpoint"
    again = export.run(WANTED, trained, dev_queries(), tiny, out, lambda done, *_: seen.append(done))
    assert seen == []
    assert again == first


def test_other_dev_queries_are_scored_anew(trained: RunFolder, tiny: Settings) -> None:
    write(WANTED, trained, tiny)
    seen: list[int] = []
    out = trained.path / "checkpoint"
    export.run(WANTED, trained, dev_queries(seed=10), tiny, out, lambda done, *_: seen.append(done))
    assert seen == [1, 2, 3, 4, 5, 6]


def test_a_model_whose_probability_would_fall_with_its_score_is_not_written(
    trained: RunFolder, tiny: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "fit_calibration", lambda *_: Calibration(-0.5, 0.0))
    with pytest.raises(CheckpointError, match=r"a = -0\.500\): train longer"):
        write(WANTED, trained, tiny)
    assert not (trained.path / "checkpoint").exists()


def test_a_run_that_trained_nothing_cannot_be_exported(tiny: Settings, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.begin(WANTED)
    with pytest.raises(InputError, match="run `prorank train score` first"):
        write(WANTED, folder, tiny)


def test_a_folder_that_holds_something_else_is_not_replaced(trained: RunFolder, tiny: Settings) -> None:
    with pytest.raises(ConfigError, match="is no checkpoint: name another folder with --out"):
        export.run(WANTED, trained, dev_queries(), tiny, trained.path, lambda *_: None)
    assert (trained.path / "run.json").exists()


def test_embeddings_are_left_to_the_base(trained: RunFolder, tiny: Settings) -> None:
    base = open_base(WANTED, tiny)
    masters = by_transformers_names(trained.trained_weights(stage2_score.STAGE)[1], base.config)
    difference = make_difference(base.weights, masters, "4-bit")
    assert {key.rpartition(".")[0] for key in difference} == base.weights.keys() - {"model.embed_tokens.weight"}


def test_the_size_of_a_difference_is_that_of_its_file(trained: RunFolder, tiny: Settings) -> None:
    _, out = write(in_form("4-bit"), trained, tiny)
    base = open_base(WANTED, tiny)
    masters = by_transformers_names(trained.trained_weights(stage2_score.STAGE)[1], base.config)
    expected = size_mb(make_difference(base.weights, masters, "4-bit"))
    assert (out / ADAPTER_FILE).stat().st_size / 1e6 == pytest.approx(expected, rel=0.2)
    assert (out / ADAPTER_FILE).stat().st_mode == (out / CONTRACT_FILE).stat().st_mode
