"""Stage 1, prompt warm-up, by the fast path: GRPO on answers of one token (`one_token_grpo`), on our own decoder.

The cold start is solved by what one token makes cheap: hundreds of samples a group cost what one costs, so that digits
with a probability of one in a hundred are drawn and, being rare, have a large advantage. The end of the answer is
learnt in turns of its own (`answer_turns`), on a few pairs a step, because it depends on the document hardly at all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from prorank_search.errors import InputError
from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.decoder import Decoder
from prorank_training.answer_probe import Probe
from prorank_training.answer_turns import (
    NAMES,
    Turn,
    answer_logits,
    digit_turn,
    end_turns,
    output_head,
    passes,
    reward_table,
)
from prorank_training.groups import DevQuery, Group
from prorank_training.master_weights import MasterWeights
from prorank_training.one_token_grpo import GroupOutcomes, draw, expected, imbalance, sampled, supervised
from prorank_training.pairs import Pair, dev_pairs, training_pairs
from prorank_training.progress import Progress
from prorank_training.recipe import Recipe, WarmupRecipe
from prorank_training.run_folder import RunFolder, Stage
from prorank_training.trainee import FROZEN, Trainee, put_weights
from prorank_training.training_loop import TrainingLoop

STAGE: Stage = "warmup"

_NO_VARIANCE = 1e-6


def run(
    trainee: Trainee,
    groups: Sequence[Group],
    dev: Sequence[DevQuery],
    recipe: Recipe,
    folder: RunFolder,
    progress: Progress,
) -> None:
    """Warm a model up, its weights in place, with documents cut to the shortest of its prompts.

    Args:
        trainee: The model.
        groups: The training groups.
        dev: Dev queries; the probe's pairs are drawn from them.
        recipe: What to do.
        folder: Where state and metrics go; a state that is there is gone on from.
        progress: Called after each step.

    Raises:
        RescorerError: The gradient stays infinite or not a number; the last good state is kept.
        ConfigError: The state cannot be written.
    """
    plan = recipe.warmup_plan()
    encoder = trainee.encoders[min(trainee.encoders)]
    dev_sample = dev_pairs(dev, plan.probe_pairs, recipe.seed)
    probe = Probe(encoder, dev_sample, plan.tokens_a_batch, base=trainee.decoder)
    weights = trainee.decoder.parameters()
    trained = [name for name in weights if name not in FROZEN]
    masters = MasterWeights(weights, trained, plan.learning_rate, plan.weight_decay)
    pairs = list(training_pairs(groups, plan, recipe.seed))

    def learn(step: int) -> dict[str, float]:
        return _learn(trainee, encoder, pairs[step], recipe, step)

    def measure(done: int) -> dict[str, Any]:
        due = done % plan.probe_every == 0 or done == plan.steps
        return {"probe": probe.measure(trainee.decoder)} if due else {}

    loop = TrainingLoop(STAGE, plan, masters, folder, progress)
    loop.run(learn, lambda step: learning_rate(step, plan), measure)


def learning_rate(step: int, plan: WarmupRecipe) -> float:
    """Return a linear rise over the first steps, then the recipe's rate."""
    return plan.learning_rate * min(1.0, (step + 1) / max(1, plan.rising_steps))


def turns_of(encoder: PromptEncoder, pairs: Sequence[Pair], end_pairs: int) -> list[Turn]:
    """Return the turns of a step's pairs; the first `end_pairs` of them also have to end their answers."""
    turns = []
    for number, pair in enumerate(pairs):
        digit = digit_turn(encoder, pair)
        turns += [digit, *(end_turns(encoder, digit) if number < end_pairs else [])]
    return turns


def take_over(decoder: Decoder, recipe: Recipe, folder: RunFolder) -> None:
    """Give a decoder the weights that the warm-up of a run ended with.

    Raises:
        InputError: The warm-up has not been run, or not to its end.
    """
    step, weights = folder.trained_weights(STAGE)
    steps = recipe.warmup_plan().steps
    if step < steps:
        raise InputError(
            f"the warm-up in {folder.path} is at step {step} of {steps}: finish it (`prorank train warmup`)"
        )
    put_weights(decoder, weights)


def _learn(
    trainee: Trainee, encoder: PromptEncoder, pairs: Sequence[Pair], recipe: Recipe, step: int
) -> dict[str, float]:
    plan = recipe.warmup_plan()
    head = output_head(trainee.decoder).detach().float()
    generator = torch.Generator(head.device).manual_seed(random.Random(f"{recipe.seed} {step}").getrandbits(63))
    turns = turns_of(encoder, pairs, plan.end_pairs)
    outcomes = []
    for some in passes(turns, plan.tokens_a_batch):
        logits = answer_logits(trainee.decoder, head, some)
        outcome = _outcome(logits, reward_table(some, len(head), head.device), plan, step, generator)
        asked = [row for row, turn in enumerate(some) if not turn.ends]
        uneven = imbalance(logits[asked, encoder.relevant_token] - logits[asked, encoder.irrelevant_token])
        ((outcome.losses.sum() + plan.balance_coef * len(asked) * uneven) / len(turns)).backward()
        outcomes.append(replace(outcome, losses=outcome.losses.detach()))
    return _summary(turns, outcomes)


def _outcome(logits: Tensor, table: Tensor, plan: WarmupRecipe, step: int, generator: torch.Generator) -> GroupOutcomes:
    if step < plan.priming_steps:
        return supervised(logits, table)
    weights = torch.tensor([plan.format_weight, 1.0], device=table.device)
    if plan.objective == "expected" or not logits.isfinite().all():  # of what is no number no sample can be drawn
        return expected(logits, table, weights)
    return sampled(logits, table, weights, draw(logits, plan.samples, generator))


def _summary(turns: Sequence[Turn], outcomes: Sequence[GroupOutcomes]) -> dict[str, float]:
    earned = torch.cat([outcome.earned for outcome in outcomes], 1)  # (rewards, turns)
    deviation = torch.cat([outcome.deviation for outcome in outcomes])
    losses = torch.cat([outcome.losses for outcome in outcomes])
    digits = torch.tensor([not turn.ends for turn in turns], device=losses.device)
    summary = {
        "loss": losses.mean(),
        **{name: earned[at, digits].mean() for at, name in enumerate(NAMES)},
        "zero_variance": (deviation[digits] < _NO_VARIANCE).float().mean(),
    }
    if not digits.all():
        summary["end_reward"] = earned[0, ~digits].mean()
    return {name: round(float(value), 4) for name, value in summary.items()}
