"""TRL's trainer: stage 1's stock path, and what the fast path's gradient has to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from torch import Tensor
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerFast,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from prorank_search.scoring.architectures import open_decoder
from prorank_search.scoring.llama import fused_weights
from prorank_search.settings import Settings
from prorank_training import stage1_warmup
from prorank_training.answer_turns import answer_logits, digit_turn, output_head
from prorank_training.one_token_grpo import sampled
from prorank_training.pairs import training_pairs
from prorank_training.recipe import Recipe, WarmupRecipe
from prorank_training.run_folder import RunFolder
from prorank_training.trainee import FROZEN, open_base, open_trainee
from tests.training import tiny_training

SAMPLES = 8
WEIGHTS = (0.5, 1.0)


class _Killed(Exception):  # noqa: N818 (it stands for a signal)
    pass


class _Gradients(TrainerCallback):
    """Keeps the gradients of the last step."""

    def __init__(self) -> None:
        self.by_name: dict[str, Tensor] = {}

    def on_pre_optimizer_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,  # noqa: ANN401 (the model among them)
    ) -> None:
        del args, state, control
        grads = {name: weight.grad for name, weight in others["model"].named_parameters()}
        self.by_name = {name: grad.clone() for name, grad in grads.items() if grad is not None}


class _Rewards:
    """Rewards that differ between most tokens of a random model, and the tokens that were drawn."""

    def __init__(self) -> None:
        self.drawn: list[int] = []

    def even(self, completion_ids: Sequence[Sequence[int]], **_columns: object) -> list[float]:
        self.drawn.extend(ids[0] for ids in completion_ids)
        return [float(ids[0] % 2 == 0) for ids in completion_ids]

    def thirds(
        self, completion_ids: Sequence[Sequence[int]], judgment: Sequence[str], **_columns: object
    ) -> list[float]:
        return [ids[0] % (3 + int(right)) / 2 for ids, right in zip(completion_ids, judgment, strict=True)]

    def table(self, judgments: Sequence[str], tokens: int) -> Tensor:
        every = torch.arange(tokens)
        even = [(every % 2 == 0).float() for _ in judgments]
        return torch.stack([torch.stack(even), torch.stack([every % (3 + int(right)) / 2 for right in judgments])])


def _stock_gradients(
    model: PreTrainedModel,
    rewards: list[Callable[..., Any]],
    config: GRPOConfig,
    rows: Dataset,
    tokenizer: PreTrainedTokenizerFast,
) -> dict[str, Tensor]:
    gradients = _Gradients()
    GRPOTrainer(model, [*rewards], config, rows, processing_class=tokenizer, callbacks=[gradients]).train()
    return gradients.by_name


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return tiny_training.settings(tmp_path / "home")


def _recipe(**plan: object) -> Recipe:
    table = {"path": "trl", "steps": 2, "queries_a_step": 2, "samples": 4, "probe_every": 1, "learning_rate": 1e-3}
    return tiny_training.recipe().model_copy(update={"warmup": WarmupRecipe.model_validate(table | plan)})


def _run(recipe: Recipe, folder: RunFolder, settings: Settings, killed_after: int = 0) -> list[dict[str, Any]]:
    def progress(done: int, _total: int, _metrics: Mapping[str, Any]) -> None:
        if done == killed_after:
            raise _Killed

    groups, dev = tiny_training.groups(), tiny_training.dev_queries()
    try:
        stage1_warmup.run(
            open_trainee(recipe, settings), open_base(recipe, settings), groups, dev, recipe, folder, progress
        )
    except _Killed:
        return []
    lines = folder.metrics("warmup")
    return [{name: value for name, value in line.items() if name not in {"time", "seconds"}} for line in lines]


def test_the_stock_path_logs_both_rewards_zero_variance_groups_and_the_probe(
    settings: Settings, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    steps = _run(_recipe(), folder, settings)
    assert [line["step"] for line in steps] == [0, 1, 2]
    logged = {"loss", "gradient_norm", "learning_rate", "format_reward", "correctness_reward", "zero_variance", "probe"}
    assert logged <= steps[1].keys()
    probed = {"mass", "compliance", "greedy_compliance", "balanced_accuracy", "auc", "kl"}
    assert all(line["probe"].keys() == probed for line in steps)
    step, trained = folder.trained_weights("warmup")
    assert step == 2
    assert trained.keys() == open_trainee(_recipe(), settings).decoder.parameters().keys() - set(FROZEN)


def test_a_killed_stock_run_that_goes_on_is_the_run_that_was_never_killed(settings: Settings, tmp_path: Path) -> None:
    recipe = _recipe(steps=3, samples=16, completion_tokens=1, graded_format=True)
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    undisturbed = _run(recipe, whole, settings)
    _run(recipe, broken, settings, killed_after=2)
    (tmp_path / "broken" / "trl" / "checkpoint-3").mkdir()  # as a kill leaves it that comes while TRL saves
    assert _run(recipe, broken, settings) == undisturbed
    assert _run(recipe, broken, settings) == undisturbed
    (_, one), (_, other) = whole.trained_weights("warmup"), broken.trained_weights("warmup")
    assert all(weight.equal(other[name]) for name, weight in one.items())


def test_a_pair_whose_text_trl_would_read_as_special_tokens_is_left_out(settings: Settings) -> None:
    recipe = _recipe()
    encoder = open_trainee(recipe, settings).encoders[32]
    tokenizer = stage1_warmup.open_tokenizer(open_base(recipe, settings).tokenizer_file, encoder)
    (pair, other, *_), *_rest = training_pairs(tiny_training.groups(), recipe.warmup_plan(), seed=1)
    hostile = type(pair)(pair.query, "done<|im_end|>", "0")
    rows = stage1_warmup.prompts([pair, hostile, other], encoder, tokenizer)
    assert list(rows["judgment"]) == [pair.judgment, other.judgment]
    turn = digit_turn(encoder, pair)
    assert tokenizer(rows["prompt"][0])["input_ids"] == [*turn.prefix, *turn.ids]


@pytest.mark.parametrize("loss_type", ["dapo", "grpo", "bnpo", "dr_grpo"])
def test_the_fast_path_has_the_stock_trainers_gradient(loss_type: str, settings: Settings, tmp_path: Path) -> None:
    recipe = _recipe(
        steps=1, samples=SAMPLES, completion_tokens=1, entropy_coef=0.0, format_weight=WEIGHTS[0], clip_norm=1e9
    )
    base = open_base(recipe, settings)
    encoder = open_trainee(recipe, settings).encoders[32]
    (pairs,) = training_pairs(tiny_training.groups(), recipe.warmup_plan(), seed=1)
    decoder = open_decoder(base.config, dict(base.weights))
    rewards = _Rewards()
    config = stage1_warmup.trainer_config(recipe.warmup_plan(), 1, tmp_path / "trl", output_head(decoder))
    config.loss_type = loss_type
    tokenizer = stage1_warmup.open_tokenizer(base.tokenizer_file, encoder)
    stock = _stock_gradients(
        stage1_warmup.open_model(decoder, base.config).requires_grad_(),
        [rewards.even, rewards.thirds],
        config,
        stage1_warmup.prompts(pairs, encoder, tokenizer),
        tokenizer,
    )

    own = decoder.parameters()
    for weight in own.values():
        weight.requires_grad_()
    logits = answer_logits(decoder, output_head(decoder), [digit_turn(encoder, pair) for pair in pairs])
    table = rewards.table([pair.judgment for pair in pairs], logits.shape[1])
    drawn = torch.tensor(rewards.drawn).view(len(pairs), SAMPLES)
    outcome = sampled(logits, table, torch.tensor(WEIGHTS), drawn)
    outcome.losses.mean().backward()
    assert (outcome.deviation > 0).sum() > 1  # what is drawn differs by version
    wanted = fused_weights(stock, len(decoder.attentions))
    assert wanted.keys() == own.keys()
    for name, weight in own.items():
        assert weight.grad is not None
        torch.testing.assert_close(weight.grad, wanted[name], atol=2e-6, rtol=1e-4)
