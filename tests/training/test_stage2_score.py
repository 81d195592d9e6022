from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from torch import Tensor

from prorank_search.errors import ConfigError, InputError, RescorerError
from prorank_search.settings import Settings
from prorank_training import losses, stage2_score
from prorank_training.groups import epoch_order
from prorank_training.recipe import Recipe
from prorank_training.run_folder import RunFolder
from prorank_training.stage2_score import STAGE, choose_negatives, group_loss, learning_rate
from prorank_training.trainee import FROZEN, open_trainee
from tests.training.tiny_training import dev_queries, groups, recipe, settings


class KilledError(Exception):
    """Stands for a kill: nothing in training catches it."""


@pytest.fixture
def tiny(prorank_home: Path) -> Settings:
    return settings(prorank_home)


def train(tiny: Settings, wanted: Recipe, path: Path, *, killed_after: int = 0) -> RunFolder:
    def progress(step: int, _: int, __: Mapping[str, Any]) -> None:
        if step == killed_after:
            raise KilledError

    folder = RunFolder(path)
    folder.begin(wanted)
    stage2_score.run(open_trainee(wanted, tiny), groups(), dev_queries(), wanted, folder, progress)
    return folder


def timeless(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key not in {"time", "seconds"}} for line in metrics]


def test_the_loss_falls_and_dev_queries_are_ranked_better(tiny: Settings, tmp_path: Path) -> None:
    metrics = train(tiny, recipe(steps=40, evaluate_every=40), tmp_path).metrics(STAGE)
    first, last = (fmean(line["loss"] for line in lines) for lines in (metrics[:10], metrics[-10:]))
    assert last < 0.7 * first
    ndcg = fmean(row["model"] for row in metrics[-1]["dev"].values())
    assert ndcg > 0.8
    assert ndcg > fmean(row["bm25"] for row in metrics[-1]["dev"].values())


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(tiny: Settings, tmp_path: Path) -> None:
    """The kill comes after step 7 was logged and before its state was saved."""
    whole = train(tiny, recipe(), tmp_path / "whole")
    with pytest.raises(KilledError):
        train(tiny, recipe(), tmp_path / "killed", killed_after=7)
    assert RunFolder(tmp_path / "killed").trained_weights(STAGE)[0] == 6
    resumed = train(tiny, recipe(), tmp_path / "killed")
    assert timeless(resumed.metrics(STAGE)) == timeless(whole.metrics(STAGE))
    (steps, weights), (steps_again, again) = whole.trained_weights(STAGE), resumed.trained_weights(STAGE)
    assert steps == steps_again == 12
    assert weights.keys() == again.keys()
    assert all(torch.equal(weights[name], again[name]) for name in weights)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_a_run_loses_no_step(number: signal.Signals, tiny: Settings, tmp_path: Path) -> None:
    """States are saved every hour; the signal comes in step 5."""
    wanted = recipe(save_every_s=3600.0)
    whole = train(tiny, wanted, tmp_path / "whole")
    folder = RunFolder(tmp_path / "stopped")
    folder.begin(wanted)

    def stop(step: int, _: int, __: Mapping[str, Any]) -> None:
        if step == 5:
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        stage2_score.run(open_trainee(wanted, tiny), groups(), dev_queries(), wanted, folder, stop)
    assert folder.trained_weights(STAGE)[0] == 5
    assert timeless(train(tiny, wanted, folder.path).metrics(STAGE)) == timeless(whole.metrics(STAGE))


def test_a_run_that_is_given_more_steps_goes_on_from_before_its_rate_fell(tiny: Settings, tmp_path: Path) -> None:
    whole = train(tiny, recipe(steps=15, rising_steps=2, falling_steps=3), tmp_path / "whole")
    train(tiny, recipe(steps=10, rising_steps=2, falling_steps=3), tmp_path / "longer")
    longer = train(tiny, recipe(steps=15, rising_steps=2, falling_steps=3), tmp_path / "longer")
    assert timeless(longer.metrics(STAGE)) == timeless(whole.metrics(STAGE))
    (_, weights), (_, again) = whole.trained_weights(STAGE), longer.trained_weights(STAGE)
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_a_run_that_was_to_end_soon_and_is_given_its_steps_back_loses_none(tiny: Settings, tmp_path: Path) -> None:
    """Step 12 is beyond the step from which a run of 13 steps falls."""
    long, short = (recipe(steps=steps, rising_steps=2, falling_steps=4) for steps in (20, 13))
    whole = train(tiny, long, tmp_path / "whole")
    with pytest.raises(KilledError):
        train(tiny, long, tmp_path / "changed", killed_after=13)
    train(tiny, short, tmp_path / "changed")
    changed = train(tiny, long, tmp_path / "changed")
    assert timeless(changed.metrics(STAGE)) == timeless(whole.metrics(STAGE))


def test_a_run_without_the_state_before_its_rate_fell_says_what_is_left_to_do(tiny: Settings, tmp_path: Path) -> None:
    metrics = train(tiny, recipe(steps=10), tmp_path).metrics(STAGE)
    (tmp_path / "score-steady.state.pt").unlink()
    with pytest.raises(
        ConfigError, match=r"score-steady\.state\.pt, is gone: ask for as many steps as before, or export"
    ):
        train(tiny, recipe(steps=15), tmp_path)
    assert RunFolder(tmp_path).metrics(STAGE) == metrics


def test_a_run_does_not_go_back(tiny: Settings, tmp_path: Path) -> None:
    train(tiny, recipe(steps=4), tmp_path)
    with pytest.raises(ConfigError, match="4 steps of score behind it, more than the 3 that are wanted"):
        train(tiny, recipe(steps=3), tmp_path)


def test_a_run_goes_on_from_a_state_whose_matrices_are_laid_out_as_on_another_device(
    tiny: Settings, tmp_path: Path
) -> None:
    train(tiny, recipe(steps=3, falling_steps=0), tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    file = tmp_path / "there" / "score.state.pt"
    state = torch.load(file)
    for kept in state["optimizer"]["state"].values():
        kept.update({name: kept[name].contiguous() for name in ("exp_avg", "exp_avg_sq")})
    torch.save(state, file)
    longer = recipe(steps=6, falling_steps=0)
    here, there = (train(tiny, longer, tmp_path / name).trained_weights(STAGE)[1] for name in ("here", "there"))
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_groups_of_a_step_that_are_taken_one_after_another_teach_the_same(tiny: Settings, tmp_path: Path) -> None:
    plan = {"steps": 3, "learning_rate": 1e-6}  # a large one makes much of bf16's rounding
    together = train(tiny, recipe(**plan), tmp_path / "together").metrics(STAGE)
    apart = train(tiny, recipe(**plan, groups_a_pass=1), tmp_path / "apart").metrics(STAGE)
    for name in ("loss", "gradient_norm"):
        assert [line[name] for line in apart] == pytest.approx([line[name] for line in together], rel=0.02)


def test_at_its_end_a_run_says_how_the_model_answers(tiny: Settings, tmp_path: Path) -> None:
    metrics = train(tiny, recipe(steps=3), tmp_path).metrics(STAGE)
    assert [line.get("probe", {}).keys() for line in metrics[:-1]] == [set(), set()]
    assert metrics[-1]["probe"].keys() == {"mass", "compliance", "greedy_compliance", "balanced_accuracy", "auc"}


def test_a_run_that_is_done_stays_as_it_is(tiny: Settings, tmp_path: Path) -> None:
    folder = train(tiny, recipe(steps=3), tmp_path)
    metrics = folder.metrics(STAGE)
    assert train(tiny, recipe(steps=3), tmp_path).metrics(STAGE) == metrics


def test_all_weights_are_trained_but_for_the_embeddings(tiny: Settings, tmp_path: Path) -> None:
    trainee = open_trainee(recipe(), tiny)
    before = {name: weight.clone() for name, weight in trainee.decoder.parameters().items()}
    _, trained = train(tiny, recipe(steps=3), tmp_path).trained_weights(STAGE)
    assert trained.keys() == before.keys() - set(FROZEN)
    assert all(not torch.equal(trained[name], before[name].float()) for name in trained)


def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_the_last_good_state(tiny: Settings, tmp_path: Path) -> None:
    broken = recipe(steps=60, learning_rate=1e18)
    with pytest.raises(
        RescorerError, match=r"not finite for 21 steps .*last good state is kept: .* lower score\.learning_rate"
    ):
        train(tiny, broken, tmp_path)
    step, weights = RunFolder(tmp_path).trained_weights(STAGE)
    assert step >= 1
    assert all(weight.isfinite().all() for weight in weights.values())


def test_negatives_are_random_first_and_mostly_hard_later() -> None:
    plan = recipe(negatives=4, hard_share=0.75, random_only_steps=10).score
    group = groups(1)[0]
    hard = len(group.hard_negatives)
    early = choose_negatives(group, plan, 9, random.Random(0))
    later = choose_negatives(group, plan, 10, random.Random(0))
    assert [at for at in early if at < hard] == []
    assert sum(at < hard for at in later) == 3
    assert len(set(later)) == len(later) == 4


def test_hard_negatives_fill_up_where_random_ones_are_too_few() -> None:
    plan = recipe(negatives=5, hard_share=0.2, random_only_steps=10).score
    group = groups(1)[0]
    assert len(choose_negatives(group, plan, 9, random.Random(0))) == len(group.random_negatives)
    later = choose_negatives(group, plan, 10, random.Random(0))
    assert len(set(later)) == len(later) == 5


def test_every_group_comes_once_in_each_pass() -> None:
    order = epoch_order(5, 12, seed=1)
    assert sorted(order[:5]) == sorted(order[5:10]) == list(range(5))
    assert len(order) == 12
    assert order == epoch_order(5, 12, seed=1)
    assert order != epoch_order(5, 12, seed=2)


def test_without_groups_there_is_no_order() -> None:
    with pytest.raises(InputError, match="no training groups"):
        epoch_order(0, 12, seed=1)


def test_the_learning_rate_rises_stays_and_falls_at_the_end() -> None:
    plan = recipe(steps=100, rising_steps=10, falling_steps=20, learning_rate=1.0).score
    rates = [learning_rate(step, plan) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:80] == [1.0] * 71
    assert rates[80:] == sorted(rates[80:], reverse=True)
    assert rates[-1] == pytest.approx(1 / 21)
    short = recipe(steps=10, rising_steps=40, falling_steps=100, learning_rate=1.0).score
    assert [learning_rate(step, short) for step in range(10)] == pytest.approx([1 / 2, *[1] * 7, 2 / 3, 1 / 3])


def test_half_of_a_taught_groups_listwise_loss_is_the_teachers() -> None:
    plan = recipe(teacher_weight=0.5, teacher_temperature=0.1, pointwise_weight=0.2).score
    scores = torch.tensor([1.0, 0.0, 3.0])
    target = torch.softmax(torch.tensor([9.0, 8.0, 9.5]), -1)
    divergence = sum(p * (p.log() - q) for p, q in zip(target, torch.log_softmax(scores, -1), strict=True))
    judged = scores[:2]
    expected = 0.5 * losses.softmax_cross_entropy(judged) + 0.5 * divergence + 0.2 * losses.pointwise(judged)
    loss, metrics = group_loss(scores, torch.tensor([0.9, 0.8, 0.95]), plan)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert (metrics["taught"], metrics["masked"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("name", "listwise"),
    [("softmax", losses.softmax_cross_entropy), ("ranknet", losses.ranknet), ("margin", losses.margin)],
)
def test_a_recipe_chooses_what_puts_the_positive_first(name: str, listwise: Callable[[Tensor], Tensor]) -> None:
    scores = torch.tensor([1.0, 0.0, 3.0])
    loss, _ = group_loss(scores, None, recipe(listwise=name, pointwise_weight=0.2).score)
    assert loss.item() == pytest.approx((listwise(scores) + 0.2 * losses.pointwise(scores)).item())


def test_a_group_without_teacher_is_learned_from_its_judgments_alone() -> None:
    plan = recipe(teacher_weight=0.5, pointwise_weight=0.2).score
    scores = torch.tensor([1.0, 0.0, 3.0])
    loss, metrics = group_loss(scores, None, plan)
    expected = losses.softmax_cross_entropy(scores) + 0.2 * losses.pointwise(scores)
    assert loss.item() == pytest.approx(expected.item())
    assert (metrics["taught"], metrics["distillation"]) == (0.0, 0.0)


def test_groups_with_and_without_a_teacher_are_trained_together(tiny: Settings, tmp_path: Path) -> None:
    wanted = recipe(steps=4, groups_a_step=2, negatives=2, random_only_steps=0)
    mixed = [replace(group, teacher=[0.5, *[0.9] * 5] if at % 2 else []) for at, group in enumerate(groups())]
    folder = RunFolder(tmp_path)
    stage2_score.run(open_trainee(wanted, tiny), mixed, [], wanted, folder, lambda *_: None)
    metrics = folder.metrics(STAGE)
    assert {line["taught"] for line in metrics} <= {0.0, 0.5, 1.0}
    assert 0 < fmean(line["taught"] for line in metrics) < 1
    assert all(line["masked"] == 2 * line["taught"] for line in metrics)


def test_a_teacher_without_weight_is_not_listened_to(tiny: Settings, tmp_path: Path) -> None:
    wanted = recipe(steps=1, teacher_weight=0.0)
    taught = [replace(group, teacher=[0.5, *[0.9] * 5]) for group in groups()]
    metrics = []
    for some, path in ((groups(), tmp_path / "alone"), (taught, tmp_path / "taught")):
        folder = RunFolder(path)
        stage2_score.run(open_trainee(wanted, tiny), some, [], wanted, folder, lambda *_: None)
        metrics.append(timeless(folder.metrics(STAGE)))
    assert metrics[0] == metrics[1]
