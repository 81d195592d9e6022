"""Stage 1 on a tiny random model that has never said "0" or "1"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from prorank_search.errors import ConfigError, InputError, RescorerError
from prorank_search.settings import Settings
from prorank_training import one_token_warmup
from prorank_training.answer_turns import Turn, passes
from prorank_training.groups import DevQuery, Group
from prorank_training.pairs import training_pairs
from prorank_training.recipe import Recipe, WarmupRecipe
from prorank_training.run_folder import RunFolder
from prorank_training.trainee import FROZEN, open_trainee
from tests.training import tiny_training


class _Killed(Exception):  # noqa: N818 (it stands for a signal)
    pass


def _recipe(**plan: object) -> Recipe:
    table = {
        "steps": 40,
        "queries_a_step": 3,
        "learning_rate": 2e-3,
        "rising_steps": 2,
        "probe_pairs": 12,
        "priming_steps": 0,
    }
    return tiny_training.recipe().model_copy(update={"warmup": WarmupRecipe.model_validate(table | plan)})


def _silent(_done: int, _total: int, _metrics: Mapping[str, Any]) -> None:
    pass


def _foxes() -> list[Group]:
    """Return groups that are learnt in a few steps: whatever the query, the fox is right."""
    whale = ["a whale in the cold sea"]
    return [
        replace(group, positive="the fox runs fast", hard_negatives=whale, random_negatives=whale)
        for group in tiny_training.groups()
    ]


def _dev() -> list[DevQuery]:
    texts = ["a whale in the cold sea", "the fox runs fast"]
    return [
        replace(query, texts=texts, first_stage_scores=[2.0, 1.0], relevances=[0, 1])
        for query in tiny_training.dev_queries(12)
    ]


def _run(recipe: Recipe, folder: RunFolder, settings: Settings, killed_after: int = 0) -> list[dict[str, Any]]:
    def progress(done: int, _total: int, _metrics: Mapping[str, Any]) -> None:
        if done == killed_after:
            raise _Killed

    trainee = open_trainee(recipe, settings)
    try:
        one_token_warmup.run(trainee, _foxes(), _dev(), recipe, folder, progress)
    except _Killed:
        return []
    lines = folder.metrics(one_token_warmup.STAGE)
    return [{name: value for name, value in line.items() if name not in {"time", "seconds"}} for line in lines]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return tiny_training.settings(tmp_path / "home")


@pytest.mark.parametrize("objective", ["sampled", "expected"])
def test_from_a_cold_start_rewards_alone_teach_the_form(objective: str, settings: Settings, tmp_path: Path) -> None:
    recipe = _recipe(objective=objective, samples=4096, probe_every=40)
    steps = _run(recipe, RunFolder(tmp_path / "run"), settings)
    before, after = steps[0]["probe"], steps[-1]["probe"]
    assert before["mass"] < 0.05
    assert before["compliance"] < 0.01
    assert after["mass"] > 0.95
    assert after["compliance"] > 0.95
    assert after["greedy_compliance"] == 1
    assert after["kl"] > 1 > before["kl"]
    assert steps[1]["format_reward"] < 0.1
    assert steps[-1]["format_reward"] > 0.95
    assert steps[-1]["end_reward"] > 0.95


def test_after_a_few_primed_steps_rewards_teach_to_judge(settings: Settings, tmp_path: Path) -> None:
    recipe = _recipe(steps=60, priming_steps=3, learning_rate=3e-4, probe_every=3)
    steps = _run(recipe, RunFolder(tmp_path / "run"), settings)
    primed, after = steps[3]["probe"], steps[-1]["probe"]
    assert primed["balanced_accuracy"] < 0.9
    assert after["balanced_accuracy"] > 0.9
    assert after["auc"] > 0.9
    assert after["compliance"] > 0.95
    assert steps[4]["correctness_reward"] < 0.7
    assert steps[-1]["correctness_reward"] > 0.9


def test_a_killed_run_that_goes_on_is_the_run_that_was_never_killed(settings: Settings, tmp_path: Path) -> None:
    recipe = _recipe(steps=6, save_every_s=0.0, probe_every=3)
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    undisturbed = _run(recipe, whole, settings)
    _run(recipe, broken, settings, killed_after=4)
    assert _run(recipe, broken, settings) == undisturbed
    (_, one), (_, other) = whole.trained_weights("warmup"), broken.trained_weights("warmup")
    assert all(weight.equal(other[name]) for name, weight in one.items())


def test_embeddings_stay_as_they_are(settings: Settings, tmp_path: Path) -> None:
    recipe = _recipe(steps=2)
    folder = RunFolder(tmp_path / "run")
    _run(recipe, folder, settings)
    _, trained = folder.trained_weights("warmup")
    base = open_trainee(recipe, settings).decoder.parameters()
    assert trained.keys() == base.keys() - set(FROZEN)
    assert any(not weight.bfloat16().equal(base[name]) for name, weight in trained.items())


def test_stage_2_takes_over_what_the_warm_up_ended_with_and_nothing_before_its_end(
    settings: Settings, tmp_path: Path
) -> None:
    recipe, folder = _recipe(steps=3), RunFolder(tmp_path / "run")
    decoder = open_trainee(recipe, settings).decoder
    with pytest.raises(InputError, match="warmup"):
        one_token_warmup.take_over(decoder, recipe, folder)
    _run(recipe, folder, settings)
    one_token_warmup.take_over(decoder, recipe, folder)
    _, trained = folder.trained_weights("warmup")
    assert all(weight.bfloat16().equal(decoder.parameters()[name]) for name, weight in trained.items())
    with pytest.raises(InputError, match="step 3 of 4"):
        one_token_warmup.take_over(decoder, _recipe(steps=4), folder)


def test_priming_steps_teach_without_a_reward(settings: Settings, tmp_path: Path) -> None:
    steps = _run(_recipe(steps=10, priming_steps=10, probe_every=10), RunFolder(tmp_path / "run"), settings)
    assert steps[-1]["probe"]["mass"] > 0.9


@pytest.mark.parametrize("objective", ["sampled", "expected"])
def test_a_gradient_that_stays_not_a_number_ends_the_run_and_names_the_setting(
    objective: str, settings: Settings, tmp_path: Path
) -> None:
    recipe = _recipe(steps=40, queries_a_step=1, end_pairs=0)
    trainee = open_trainee(recipe, settings)
    trainee.decoder.parameters()["model.norm.weight"].data.fill_(torch.nan)
    with pytest.raises(RescorerError, match=r"warmup\.learning_rate"):
        one_token_warmup.run(
            trainee, tiny_training.groups(), [], _recipe(objective=objective), RunFolder(tmp_path / "run"), _silent
        )


def test_a_recipe_without_the_table_is_told_so(settings: Settings, tmp_path: Path) -> None:
    recipe = tiny_training.recipe()
    with pytest.raises(ConfigError, match=r"\[warmup\]"):
        one_token_warmup.run(open_trainee(recipe, settings), [], [], recipe, RunFolder(tmp_path / "run"), _silent)


def test_a_pass_keeps_the_turns_of_a_query_together_and_to_its_budget(settings: Settings) -> None:
    recipe = _recipe(steps=1)
    encoder = open_trainee(recipe, settings).encoders[16]
    (pairs,) = training_pairs(tiny_training.groups(), recipe.warmup_plan(), seed=1)
    turns = one_token_warmup.turns_of(encoder, pairs, end_pairs=1)
    cut = passes(turns, tokens_a_batch=100)
    assert [turn for some in cut for turn in some] == turns
    assert len(cut) > 1
    owners: list[set[tuple[int, ...]]] = [{turn.prefix for turn in some} for some in cut]
    assert all(before[-1].prefix != after[0].prefix for before, after in pairwise(cut))
    assert all(_tokens(some) <= 100 or len(own) == 1 for some, own in zip(cut, owners, strict=True))


def _tokens(turns: list[Turn]) -> int:
    return len(turns) * max(len(turn.ids) for turn in turns)
