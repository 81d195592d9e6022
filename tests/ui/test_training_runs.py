"""What a run's folder says, and the commands that a form comes to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from prorank_training.recipe import Recipe
from prorank_training.recipe_choice import choose, named, summary
from prorank_ui.train import training_groups, training_plan, training_runs
from prorank_ui.train.training_charts import chart, pictures_of
from prorank_ui.train.training_plan import RecipeInfo, TrainingPlan


def write_metrics(folder: Path, lines: Sequence[dict[str, object]], *, warmup: int = 0, steps: int = 10) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    recipe = {"score": {"steps": steps}, "warmup": {"steps": warmup} if warmup else None}
    (folder / "run.json").write_text(json.dumps({"recipe": recipe}), encoding="utf-8")
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def scores(steps: int) -> list[dict[str, object]]:
    return [
        {"stage": "score", "step": step, "time": 100.0 + 2 * step, "loss": 1 / step} for step in range(1, steps + 1)
    ]


def recipe_info(name: str, home: Path) -> RecipeInfo:
    return RecipeInfo(name=name, **summary(named(home)[name]))  # type: ignore[arg-type]


def recipe_of(command: Sequence[str], home: Path) -> Recipe:
    """Return the recipe that a command's arguments come to."""
    options = dict.fromkeys(command[3::2])
    changes = [value for option, value in zip(command[3::2], command[4::2], strict=True) if option == "--set"]
    assert set(options) <= {"--set", "--run", "--data", "--collections"}
    return choose(Path(command[2]), home, None, [], changes).recipe


def test_progress_and_time_left_come_from_the_metrics(tmp_path: Path) -> None:
    assert training_runs.progress(tmp_path).stage == "getting ready"
    progress = training_runs.progress(write_metrics(tmp_path / "run", scores(4)))
    assert (progress.stage, progress.step, progress.steps, progress.seconds_left) == ("stage 2", 4, 10, 12.0)
    assert training_runs.progress(write_metrics(tmp_path / "run", scores(10))).stage == "writing the checkpoint"


def test_a_night_between_two_steps_is_no_part_of_the_time_left(tmp_path: Path) -> None:
    lines = scores(4)
    stopped = [line | {"time": 36_000.0 + 2 * at} for at, line in enumerate(scores(6)[4:])]
    assert training_runs.progress(write_metrics(tmp_path, lines + stopped)).seconds_left == 8.0


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    folder = write_metrics(tmp_path, scores(2))
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"stage": "sco')
    assert [line["step"] for line in training_runs.measured(folder)] == [1, 2]


def test_curves_are_thinned_to_means_and_each_picture_has_its_stage() -> None:
    dev = {"dev": {"a": {"bm25": 0.2, "model": 0.4, "blend": 0.5}, "b": {"bm25": 0.4, "model": 0.8, "blend": 0.5}}}
    probe = {"stage": "warmup", "step": 0, "time": 0.0, "probe": {"mass": 0.05}}
    lines = [probe, *scores(700), {"stage": "score", "step": 701, "time": 0.0, **dev}]
    rows = training_runs.rows("one", lines, most=100)
    loss = [row for row in rows if row["measure"] == "loss"]
    assert (len(loss), loss[0]["step"], loss[-1]["step"]) == (100, 7, 700)
    assert {row["measure"]: row["value"] for row in rows if str(row["measure"]).startswith("dev")}["dev model"] == 0.6
    assert [picture.title for picture, _ in pictures_of(rows)] == [
        "Stage 1: shares",
        "Stage 2: nDCG@10 on held-back queries",
        "Stage 2: loss",
    ]
    (held_back,) = [own for picture, own in pictures_of(rows) if "held-back" in picture.title]
    assert {row["measure"]: row["value"] for row in held_back} == {"dev bm25": 0.3, "dev model": 0.6, "dev blend": 0.5}
    for picture, own in pictures_of([*rows, *training_runs.rows("two", lines)]):
        assert [layer["mark"]["type"] for layer in chart(picture, own).to_dict()["layer"]] == ["line", "point"]


def test_a_plan_on_judgments_leaves_out_the_recipes_collections_and_its_teacher(prorank_home: Path) -> None:
    plan = TrainingPlan("cpu", 'a "base"', {"hand\\book 🦊": 90}, (), "prorank:x")
    info = recipe_info("cpu", prorank_home)
    recipe = recipe_of(training_plan.data_command(plan, info, prorank_home), prorank_home)
    assert (recipe.base, recipe.data.collections, recipe.teacher) == ('a "base"', [], None)
    ((judged,),) = [recipe.data.judgments or []]
    assert (judged.query_set, judged.mistakes_of) == ("hand\\book 🦊", "prorank:x")
    command = training_plan.train_command(plan, info, prorank_home, data=Path("d"), steps=7, warmup=False)
    trained = recipe_of(command, prorank_home)
    assert (trained.score.steps, trained.warmup, trained.data_digest()) == (7, None, recipe.data_digest())
    assert command[-4:] == ["--data", "d", "--run", "{folder}"]


def test_a_plan_on_collections_keeps_what_the_recipe_says_of_them(prorank_home: Path) -> None:
    info = recipe_info("cpu", prorank_home)
    everything = TrainingPlan("cpu", info.base, {}, [str(row["folder"]) for row in info.collections])
    assert recipe_of(training_plan.data_command(everything, info, prorank_home), prorank_home).digest() == (
        choose(Path("cpu"), prorank_home, None).recipe.digest()
    )
    some = TrainingPlan("cpu", info.base, {"handbook": 3}, ["drcd_sent", "mine"])
    data = recipe_of(training_plan.data_command(some, info, prorank_home), prorank_home).data
    assert [(row.folder, row.analysis, row.groups) for row in data.collections] == [
        ("drcd_sent", "chinese", 3080),
        ("mine", "standard", 5000),
    ]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '" onload="x', "\u202eabc"])
def test_groups_are_shown_escaped(text: str) -> None:
    shown = training_groups.group_html(
        {"collection": text, "query": text, "positive": text * 100, "hard_negatives": [text] * 5}
    )
    assert "<script>" not in shown
    assert '" onload' not in shown
    assert "and 2 more" in shown
