from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from prorank_search.errors import ConfigError, InputError
from prorank_training.run_folder import RunFolder
from tests.training.tiny_training import recipe


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_a_run_says_what_it_is_made_of(folder: RunFolder) -> None:
    folder.begin(recipe())
    about = folder.about()
    assert about["recipe_hash"] == recipe().digest()
    assert about["recipe"]["score"]["steps"] == 12
    assert torch.__version__.startswith(about["packages"]["torch"])


def test_a_run_of_the_same_recipe_is_gone_on_from(folder: RunFolder) -> None:
    folder.begin(recipe())
    begun = folder.about()
    folder.begin(recipe())
    assert folder.about() == begun


def test_a_run_remembers_how_long_it_was_last_told_to_go_on(folder: RunFolder) -> None:
    folder.begin(recipe())
    folder.begin(recipe(steps=20))  # as an export or a report does, which change nothing
    assert folder.about()["recipe"]["score"]["steps"] == 12
    folder.note_recipe(recipe(steps=20))
    assert folder.about()["recipe"]["score"]["steps"] == 20


def test_a_run_of_another_recipe_is_refused(folder: RunFolder) -> None:
    folder.begin(recipe())
    with pytest.raises(ConfigError, match=r"holds a run of another recipe .*--run"):
        folder.begin(recipe(negatives=2))


def test_two_trainings_of_one_folder_do_not_meet(folder: RunFolder) -> None:
    other = RunFolder(folder.path)
    with folder.held(), pytest.raises(ConfigError, match=r"another process trains in .*--run"), other.held():
        pass
    with other.held():
        pass


def test_metrics_of_steps_that_will_be_taken_again_are_dropped(folder: RunFolder) -> None:
    folder.log("warmup", {"step": 9})
    for step in (1, 2, 3):
        folder.log("score", {"step": step})
    folder.forget_after("score", 2)
    assert [line["step"] for line in folder.metrics("score")] == [1, 2]
    assert [line["step"] for line in folder.metrics("warmup")] == [9]


def test_a_line_that_a_kill_cut_short_is_no_metric(folder: RunFolder) -> None:
    folder.log("score", {"step": 1})
    with (folder.path / "metrics.jsonl").open("a") as file:
        file.write('{"stage": "score", "st')
    folder.forget_after("score", 1)
    folder.log("score", {"step": 2})
    assert [line["step"] for line in folder.metrics("score")] == [1, 2]


@contextmanager
def full_disk() -> Iterator[None]:
    """Files may not grow beyond a hundred bytes; pytest's own output may be one of them, so only for the body."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_last_state(folder: RunFolder) -> None:
    folder.save_state("score", {"step": 1, "masters": {}})
    with full_disk(), pytest.raises(ConfigError, match="the last one is kept: make room"):
        folder.save_state("score", {"step": 2, "masters": {"weight": torch.zeros(1000)}})
    assert folder.load_state("score") == {"step": 1, "masters": {}}
    assert list(folder.path.glob("*.partial")) == []


def test_a_stage_that_has_saved_nothing_has_no_weights(folder: RunFolder) -> None:
    assert folder.load_state("score") is None
    with pytest.raises(InputError, match="run `prorank train score` first"):
        folder.trained_weights("score")
