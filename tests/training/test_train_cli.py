from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from tests.tiny_model import write_model
from tests.training.tiny_training import ANIMALS, write_beir
from tests.training.together import start_together

RECIPE = """
base = "tiny"
max_length_tokens = 128
query_max_tokens = 24

[data]
hard_negatives = 3
random_negatives = 2
collections = [{ folder = "animals", analysis = "english", language = "en", groups = 20 }]

[score]
steps = 25
groups_a_step = 3
negatives = 3
random_only_steps = 5
document_tokens = { "32" = 1.0 }
learning_rate = 2e-3
evaluate_every = 25

[export]
name = "animals"
form = "4-bit"
[export.golden_pair]
query = "where is the fox"
relevant = "the fox swims in field 1"
irrelevant = "the whale swims in field 1"
"""


@pytest.fixture
def recipe(tmp_path: Path, prorank_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe in the working folder, its collection and its base beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_DEVICE", "cpu")
    write_model(prorank_home / "models" / "tiny")
    documents = {f"{animal}{n}": f"the {animal} swims in field {n}" for animal in ANIMALS for n in range(4)}
    queries = {f"q-{doc_id}": f"where is the {doc_id[:-1]}, {doc_id[-1]}" for doc_id in documents}
    pairs = [(query_id, query_id.removeprefix("q-")) for query_id in queries]
    write_beir(tmp_path / "collections" / "animals", documents, queries, {"train": pairs[:18], "dev": pairs[18:]})
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def prorank(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["train", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_from_a_recipe_to_a_model_that_searches(recipe: Path, tmp_path: Path) -> None:
    code, out, err = prorank("all", recipe, "--run", "run", "--json")
    assert code == 0, err
    assert json.loads(out)["training"]["steps"] == 25
    assert "score 20/25" in err
    assert prorank("report", recipe, "--run", "run")[0] == 0
    card = (tmp_path / "run" / "report" / "README.md").read_text(encoding="utf-8")
    assert "| animals | en | 18 |" in card
    assert (tmp_path / "run" / "report" / "loss.png").stat().st_size > 1000
    ingest = CliRunner().invoke(app, ["ingest", "collections/animals", "--index", "animals"])
    assert ingest.exit_code == 0
    search = ["search", "where is the fox", "--index", "animals", "--model", "run/checkpoint", "--json"]
    answer = CliRunner().invoke(app, search)
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout)["status"]["model"] == "animals"


def test_the_stages_can_be_taken_one_by_one_and_share_their_data(recipe: Path, tmp_path: Path) -> None:
    code, out, _ = prorank("data", recipe, "--run", "first", "--data", "shared")
    assert code == 0
    assert out.splitlines()[1].split() == ["animals", "en", "18", "3.0", "0", "6", "0"]
    recipe.write_text(RECIPE.replace("steps = 25", "steps = 2"), encoding="utf-8")
    code, out, _ = prorank("score", recipe, "--run", "second", "--data", "shared", "--json")
    assert (code, json.loads(out)["step"]) == (0, 2)
    assert (tmp_path / "second" / "score.state.pt").exists()


def test_any_rescorer_can_be_the_teacher(recipe: Path, tmp_path: Path) -> None:
    code, out, err = prorank("data", recipe, "--run", "run", "--teacher", "overlap", "--json")
    assert code == 0, err
    (row,) = json.loads(out)
    assert (row["groups"], row["taught"]) == (18, 18)
    assert 0.5 < row["teacher_first"] <= 1.0
    assert "teacher 18/18" in err
    assert len((tmp_path / "run" / "teacher.jsonl").read_text().splitlines()) == 18


def test_a_model_says_who_taught_it(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(RECIPE.replace("steps = 25", "steps = 15"), encoding="utf-8")
    code, out, err = prorank("all", recipe, "--run", "run", "--teacher", "overlap", "--json")
    assert code == 0, err
    assert json.loads(out)["training"]["teacher"]["languages"]["en"]["rescorer"] == "overlap"
    assert prorank("report", recipe, "--run", "run")[0] == 0
    assert "learned from the scores of `overlap` (en)" in (tmp_path / "run" / "report" / "README.md").read_text()


def test_a_recipe_names_its_teacher_and_how_much_it_scores(recipe: Path, tmp_path: Path) -> None:
    table = '[teacher]\nrescorer = { en = "overlap" }\ngroups = 5\n\n[score]'
    recipe.write_text(RECIPE.replace("[score]", table), encoding="utf-8")
    code, out, err = prorank("data", recipe, "--run", "run")
    assert code == 0, err
    assert out.splitlines()[1].split()[7] == "5"
    assert (
        json.loads((tmp_path / "run" / "data.json").read_text())["teacher"]["languages"]["en"]["rescorer"] == "overlap"
    )


def test_an_index_with_files_of_judgments_is_a_source_too(recipe: Path) -> None:
    assert CliRunner().invoke(app, ["ingest", "collections/animals", "--index", "mine"]).exit_code == 0
    table = """
[[data.indexes]]
index = "mine"
queries = "animals/queries.jsonl"
qrels = "animals/qrels/train.tsv"
dev_qrels = "animals/qrels/dev.tsv"
language = "en"
groups = 7
"""
    lines = [line for line in RECIPE.splitlines() if not line.startswith("collections")]
    recipe.write_text("\n".join(lines).replace("[score]", f"{table}\n[score]"))
    code, out, err = prorank("data", recipe, "--json")
    assert code == 0, err
    (row,) = json.loads(out)
    assert (row["collection"], row["groups"], row["dev_queries"]) == ("mine", 7, 6)


def test_a_run_is_named_after_its_recipe_where_no_folder_is_given(recipe: Path, tmp_path: Path) -> None:
    assert prorank("data", recipe)[0] == 0
    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.startswith("recipe-")


def test_resume_insists_on_a_run(recipe: Path) -> None:
    code, _, err = prorank("score", recipe, "--resume")
    assert code == 2
    assert "holds no run that was begun" in err


def test_training_before_its_data_is_made_says_what_to_do(recipe: Path) -> None:
    code, _, err = prorank("score", recipe)
    assert code == 3
    assert "make it with `prorank train data`" in err


def test_a_stage_alone_takes_changes_and_the_run_remembers_them(recipe: Path, tmp_path: Path) -> None:
    assert prorank("data", recipe, "--run", "run")[0] == 0
    code, out, err = prorank("score", "run", "--set", "score.steps=2", "--set", "score.groups_a_pass=1", "--json")
    assert (code, json.loads(out)["step"]) == (0, 2), err
    kept = json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["score"]
    assert (kept["steps"], kept["groups_a_pass"]) == (2, 1)


def test_where_memory_runs_out_the_error_says_what_can_be_lowered(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory")

    assert prorank("data", recipe, "--run", "run")[0] == 0
    monkeypatch.setattr("prorank_training.stage2_score.run", run)
    code, _, err = prorank("score", recipe, "--run", "run")
    assert (code, "lower --set score.groups_a_pass" in err) == (5, True)


def test_a_model_card_needs_a_checkpoint(recipe: Path) -> None:
    prorank("data", recipe)
    code, _, err = prorank("report", recipe)
    assert code == 3
    assert "run `prorank train export` first" in err


def _export(recipe: Path, *options: str) -> dict[str, Any]:
    """Export a run that learnt next to nothing: where it takes the golden pair the other way round, turn that round."""
    command = ("export", recipe, "--run", "run", "--json", *options)
    code, out, err = prorank(*command)
    if "golden pair" in err:
        turned = {"relevant = ": "irrelevant = ", "irrelevant = ": "relevant = "}
        text = recipe.read_text(encoding="utf-8")
        recipe.write_text(re.sub(r"(?m)^(ir)?relevant = ", lambda found: turned[found[0]], text), encoding="utf-8")
        code, out, err = prorank(*command)
    assert code == 0, err
    contract: dict[str, Any] = json.loads(out)
    return contract


def test_either_stages_weights_can_be_exported(recipe: Path, tmp_path: Path) -> None:
    warmup = "[warmup]\nsteps = 30\nqueries_a_step = 3\nlearning_rate = 2e-3\nsamples = 64\n\n[score]"
    recipe.write_text(RECIPE.replace("[score]", warmup), encoding="utf-8")
    assert prorank("data", recipe, "--run", "run")[0] == 0
    code, _, err = prorank("export", recipe, "--run", "run")
    assert (code, "has no trained weights" in err) == (3, True)
    assert prorank("warmup", recipe, "--run", "run")[0] == 0
    first = _export(recipe)
    assert (first["training"]["stages"], first["training"]["steps"]) == (["warmup"], 30)
    assert first["calibration"] is not None
    assert prorank("report", recipe, "--run", "run")[0] == 0
    card = (tmp_path / "run" / "report" / "README.md").read_text(encoding="utf-8")
    assert ("Stage 1 alone: 30 steps" in card, "rewards.png" in card, "loss.png" in card) == (True, True, False)
    code, _, err = prorank("export", recipe, "--run", "run", "--stage", "score")
    assert (code, "run `prorank train score` first" in err) == (3, True)
    assert prorank("score", recipe, "--run", "run")[0] == 0
    assert _export(recipe)["training"]["stages"] == ["warmup", "score"]
    again = _export(recipe, "--stage", "warmup")
    assert (again["training"], again["results"]) == (first["training"], first["results"])


@pytest.mark.parametrize(("path", "samples"), [("one-token", 64), ("trl", 2)])
def test_a_recipe_with_a_warm_up_runs_it_before_the_scores(
    path: str, samples: int, recipe: Path, tmp_path: Path
) -> None:
    warmup = f'[warmup]\npath = "{path}"\nsteps = 2\nqueries_a_step = 1\nsamples = {samples}\n\n[score]'
    recipe.write_text(RECIPE.replace("[score]", warmup).replace("steps = 25", "steps = 1"), encoding="utf-8")
    assert prorank("data", recipe, "--run", "run")[0] == 0
    code, _, err = prorank("score", recipe, "--run", "run")
    assert code == 3
    assert "prorank train warmup" in err
    code, out, err = prorank("warmup", recipe, "--run", "run", "--json")
    assert code == 0, err
    assert json.loads(out)["step"] == 2
    assert "correctness_reward" in json.loads(out)
    assert prorank("score", recipe, "--run", "run")[0] == 0
    stages = [json.loads(line)["stage"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert stages == ["warmup", "warmup", "warmup", "score"]


def test_a_warm_up_needs_its_table(recipe: Path) -> None:
    prorank("data", recipe)
    code, _, err = prorank("warmup", recipe)
    assert code == 2
    assert "[warmup]" in err


def _train_together(recipe: Path, processes: int) -> None:
    command = ["-m", "prorank_search.cli", "train", "score", str(recipe), "--run", "together", "--data", "shared"]
    for process in start_together(command, processes):
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err


def _measured(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{name: line[name] for name in ("step", "loss", "gradient_norm")} | _dev(line) for line in lines]


def _dev(line: dict[str, Any]) -> dict[str, float]:
    return {name: row["model"] for name, row in line.get("dev", {}).items()}


def test_two_processes_train_as_one_does(recipe: Path, tmp_path: Path) -> None:
    text = RECIPE.replace("steps = 25", "steps = 3").replace("evaluate_every = 25", "evaluate_every = 3")
    text = text.replace("learning_rate = 2e-3", "learning_rate = 1e-4")  # a large one makes much of bf16's rounding
    recipe.write_text(text, encoding="utf-8")
    assert prorank("data", recipe, "--run", "alone", "--data", "shared")[0] == 0
    assert prorank("score", recipe, "--run", "alone", "--data", "shared")[0] == 0
    _train_together(recipe, processes=2)
    together, alone = _measured(tmp_path / "together"), _measured(tmp_path / "alone")
    assert len(together) == len(alone)
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, rel=0.05)


def test_what_runs_in_one_process_refuses_several(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, _, err = prorank("data", recipe)
    assert (code, "WORLD_SIZE says 2" in err) == (2, True)
