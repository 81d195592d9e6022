"""Stage 2, fine-grained score learning: the two answer logits become a score that orders documents.

Each step takes a few groups: a query, its positive, and negatives that are random at first and hard later (hard ones
from the start leave a small model at chance level). The loss is listwise over the group, with a pointwise anchor that
keeps the sign and the calibration of the score. Groups that a teacher has scored are also ordered as it orders them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from prorank_search.errors import ConfigError
from prorank_search.scoring.decoder import Decoder
from prorank_training import workers
from prorank_training.answer_probe import Probe
from prorank_training.dev import results, sample
from prorank_training.group_scores import Reading, group_scores
from prorank_training.groups import DevQuery, Group, epoch_order
from prorank_training.losses import (
    LISTWISE,
    distillation,
    pointwise,
    teacher_distribution,
    without_likely_false,
)
from prorank_training.master_weights import MasterWeights
from prorank_training.pairs import dev_pairs
from prorank_training.progress import Progress
from prorank_training.recipe import Recipe, ScoreRecipe, WarmupRecipe
from prorank_training.run_folder import RunFolder, Stage
from prorank_training.trainee import FROZEN, Encoders, Trainee
from prorank_training.training_loop import TrainingLoop

STAGE: Stage = "score"


def run(
    trainee: Trainee,
    groups: Sequence[Group],
    dev: Sequence[DevQuery],
    recipe: Recipe,
    folder: RunFolder,
    progress: Progress,
) -> None:
    """Train a model's weights in place.

    Args:
        trainee: The model, its weights in the dtype of the products.
        groups: The training groups, in any order.
        dev: Dev queries, looked at on the way.
        recipe: What to do.
        folder: Where state and metrics go; a state that is there is gone on from.
        progress: Called after each step with the step, all steps and the step's metrics.

    Raises:
        RescorerError: The gradient stays infinite or not a number; the last good state is kept.
        ConfigError: The state cannot be written, or a step has fewer groups than there are processes.
    """
    plan = recipe.score
    if plan.groups_a_step < workers.count():
        raise ConfigError(
            f"score.groups_a_step={plan.groups_a_step} leaves some of {workers.count()} processes without a group: "
            "raise it, or start fewer"
        )
    weights = trainee.decoder.parameters()
    trained = [name for name in weights if name not in FROZEN]
    masters = MasterWeights(weights, trained, plan.learning_rate, plan.weight_decay)
    order = epoch_order(len(groups), plan.steps * plan.groups_a_step, recipe.seed)
    pairs = dev_pairs(dev, (recipe.warmup or WarmupRecipe()).probe_pairs, recipe.seed)
    probe = Probe(trainee.encoders[min(trainee.encoders)], pairs, plan.tokens_a_batch)

    def learn(step: int) -> dict[str, float]:
        batch = [groups[at] for at in order[step * plan.groups_a_step : (step + 1) * plan.groups_a_step]]
        losses = workers.gather(_learn(trainee, workers.share(batch), plan, step, recipe.seed))
        return {name: round(sum(loss[name] for loss in losses) / len(losses), 4) for name in losses[0]}

    def measure(done: int) -> dict[str, Any]:
        measured: dict[str, Any] = {}
        if done and plan.evaluate_every and done % plan.evaluate_every == 0:
            some = sample(dev, plan.evaluate_queries)
            measured["dev"] = evaluate(trainee.decoder, trainee.encoders, some, plan)
        if done == plan.steps and workers.leads():
            measured["probe"] = probe.measure(trainee.decoder)
        return measured

    loop = TrainingLoop(STAGE, plan, masters, folder, progress, plan.falls_from)
    loop.run(learn, lambda step: learning_rate(step, plan), measure)


def evaluate(
    decoder: Decoder, encoders: Encoders, dev: Sequence[DevQuery], plan: ScoreRecipe
) -> dict[str, dict[str, float]]:
    """Return nDCG@10 of each dev collection, documents read at the greatest length trained on."""
    encoder = encoders[max(encoders)]
    with torch.no_grad():
        scores = [
            group_scores(decoder, [Reading(encoder, query.query, query.texts)], plan.tokens_a_batch)[0].tolist()
            if query.texts
            else []
            for query in workers.share(dev)
        ]
    return results(dev, workers.gather(scores))


def learning_rate(step: int, plan: ScoreRecipe) -> float:
    """Return a linear rise, then the recipe's rate, and over the last steps a linear fall to nothing.

    The rate stays until shortly before the end (Hägele et al., 2024), so that a run can be given more steps later.
    """
    rise = (step + 1) / max(1, min(plan.rising_steps, plan.steps // 5))
    fall = (plan.steps - step) / (plan.steps - plan.falls_from + 1)
    return plan.learning_rate * min(1.0, rise, fall)


def choose_negatives(group: Group, plan: ScoreRecipe, step: int, rng: random.Random) -> list[int]:
    """Choose a group's negatives for one step: random ones only at first, then mostly hard ones.

    Where random ones are too few, hard ones fill up, but for the first steps.

    Returns:
        Positions in `[*group.hard_negatives, *group.random_negatives]`.
    """
    hard = list(range(len(group.hard_negatives)))
    easy = list(range(len(hard), len(hard) + len(group.random_negatives)))
    wanted_hard = 0 if step < plan.random_only_steps else round(plan.hard_share * plan.negatives)
    chosen = rng.sample(hard, min(wanted_hard, len(hard)))
    chosen += rng.sample(easy, min(plan.negatives - len(chosen), len(easy)))
    rest = [at for at in hard if at not in chosen] if step >= plan.random_only_steps else []
    return chosen + rng.sample(rest, min(plan.negatives - len(chosen), len(rest)))


def _learn(trainee: Trainee, batch: Sequence[Group], plan: ScoreRecipe, step: int, seed: int) -> list[dict[str, float]]:
    """Add a step's groups to the gradients, and return what is logged of each."""
    at_once = plan.groups_a_pass or len(batch)
    parts = [batch[at : at + at_once] for at in range(0, len(batch), at_once)]
    return [logged for part in parts for logged in _learn_at_once(trainee, part, plan, step, seed)]


def _learn_at_once(
    trainee: Trainee, batch: Sequence[Group], plan: ScoreRecipe, step: int, seed: int
) -> list[dict[str, float]]:
    readings, chosen = [], []
    lengths, chances = zip(*plan.document_tokens.items(), strict=True)
    for group in batch:
        rng = random.Random(f"{seed} {step} {group.collection} {group.query_id}")
        chosen.append(choose_negatives(group, plan, step, rng))
        negatives = [*group.hard_negatives, *group.random_negatives]
        texts = [group.positive, *(negatives[at] for at in chosen[-1])]
        encoder = trainee.encoders[int(rng.choices(lengths, chances)[0])]
        readings.append(Reading(encoder, group.query, texts))
    scores = group_scores(trainee.decoder, readings, plan.tokens_a_batch)
    losses, metrics = zip(
        *(
            group_loss(of_group, _teacher_scores(group, at, plan, of_group), plan)
            for group, at, of_group in zip(batch, chosen, scores, strict=True)
        ),
        strict=True,
    )
    (torch.stack(losses).sum() / plan.groups_a_step).backward()
    return list(metrics)


def group_loss(scores: Tensor, teacher: Tensor | None, plan: ScoreRecipe) -> tuple[Tensor, dict[str, float]]:
    """Return a group's loss and what is logged of it.

    Judgments alone: listwise + `pointwise_weight` * pointwise. With a teacher a share of `teacher_weight` of the
    listwise loss is the divergence from its distribution, and negatives that it takes for relevant count there only.

    Args:
        scores: The model's, the positive's first, (documents,).
        teacher: The teacher's, (documents,), or None.
        plan: The weights.
    """
    judged = scores if teacher is None else without_likely_false(scores, teacher, plan.teacher_margin)
    listwise, anchor = LISTWISE[plan.listwise](judged), pointwise(judged)
    metrics = {
        "listwise": listwise.item(),
        "pointwise": anchor.item(),
        "positive_first": float(scores.argmax().item() == 0),
        "taught": float(teacher is not None),
        "masked": float(len(scores) - len(judged)),
        "distillation": 0.0,
    }
    loss = listwise
    if teacher is not None:
        divergence = distillation(scores, teacher_distribution(teacher, plan.teacher_temperature))
        loss = (1 - plan.teacher_weight) * listwise + plan.teacher_weight * divergence
        metrics["distillation"] = divergence.item()
    loss = loss + plan.pointwise_weight * anchor
    return loss, {"loss": loss.item(), **metrics}


def _teacher_scores(group: Group, chosen: Sequence[int], plan: ScoreRecipe, scores: Tensor) -> Tensor | None:
    """Return the teacher's scores of the documents that were chosen; None: it has none, or is not listened to."""
    if not group.teacher or not plan.teacher_weight:
        return None
    return torch.tensor([group.teacher[0], *(group.teacher[1 + at] for at in chosen)], device=scores.device)
