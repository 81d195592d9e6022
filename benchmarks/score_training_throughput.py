"""Stage 2: groups a second of this project's trainer and of a plain `transformers` loop, with the same groups.

    python benchmarks/score_training_throughput.py --data RUN_FOLDER --steps 4

The loop reads the full prompt of every document, all of a step's in one padded batch, with `logits_to_keep=1`. Both
have bf16 weights, fp32 masters, AdamW and the same loss, and cut documents to the same length. The first step of either
warms up and is not counted; steps are taken in turns, and the median of each counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from prorank_search import models
from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.decoder import Decoder
from prorank_search.settings import Settings
from prorank_training.group_scores import Reading, group_scores
from prorank_training.groups import Group, epoch_order, read_groups
from prorank_training.losses import pointwise, softmax_cross_entropy
from prorank_training.master_weights import MasterWeights
from prorank_training.recipe import Recipe, ScoreRecipe, read_recipe
from prorank_training.trainee import FROZEN, open_trainee

Step = Callable[[Sequence[Reading]], None]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=Path("training/prorank_training/recipes/cpu.toml"))
    parser.add_argument("--data", type=Path, required=True, help="folder with groups.parquet")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--tokens", type=int, help="that documents are cut to; the recipe's least where not given")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe, settings = read_recipe(arguments.recipe), Settings()
    plan = recipe.score
    groups = read_groups(arguments.data / "groups.parquet")
    order = epoch_order(len(groups), (arguments.steps + 1) * plan.groups_a_step, recipe.seed)
    trainee = open_trainee(recipe, settings)
    model = AutoModelForCausalLM.from_pretrained(models.model_folder(recipe.base, settings), dtype=torch.bfloat16)
    encoder = trainee.encoders[tokens := arguments.tokens or min(trainee.encoders)]
    trainers = {"ours": _ours(trainee.decoder, recipe), "plain": _plain(model, recipe)}
    seconds: dict[str, list[float]] = {name: [] for name in trainers}
    for step in range(arguments.steps + 1):
        batch = [groups[at] for at in order[step * plan.groups_a_step : (step + 1) * plan.groups_a_step]]
        readings = [_reading(group, encoder, plan.negatives) for group in batch]
        for name, take in trainers.items():
            began = time.perf_counter()
            take(readings)
            seconds[name].append(time.perf_counter() - began)
    print(f"{plan.groups_a_step} groups of {plan.negatives + 1} documents a step, cut to {tokens} tokens,")
    print(f"{arguments.threads} threads, torch {torch.__version__}")
    taken = {name: median(each[1:]) for name, each in seconds.items()}
    print(f"{'trainer':10} {'s/step':>8} {'groups/s':>9} {'pairs/s':>8}")
    for name, of_step in taken.items():
        a_second = plan.groups_a_step / of_step
        print(f"{name:10} {of_step:8.2f} {a_second:9.2f} {a_second * (plan.negatives + 1):8.1f}")
    print(f"ratio {taken['plain'] / taken['ours']:.2f}")


def _reading(group: Group, encoder: PromptEncoder, negatives: int) -> Reading:
    texts = [group.positive, *[*group.hard_negatives, *group.random_negatives][:negatives]]
    return Reading(encoder, group.query, texts)


def _ours(decoder: Decoder, recipe: Recipe) -> Step:
    plan, weights = recipe.score, decoder.parameters()
    trained = [name for name in weights if name not in FROZEN]
    masters = MasterWeights(weights, trained, plan.learning_rate, plan.weight_decay)

    def take(readings: Sequence[Reading]) -> None:
        _loss(group_scores(decoder, readings, plan.tokens_a_batch), plan).backward()
        masters.step(plan.learning_rate, plan.clip_norm)

    return take


def _plain(model: PreTrainedModel, recipe: Recipe) -> Step:
    plan = recipe.score
    working = {name: weight for name, weight in model.named_parameters() if name not in FROZEN}
    model.requires_grad_(requires_grad=False)
    for weight in working.values():
        weight.requires_grad_()
    masters = [weight.detach().float().clone() for weight in working.values()]
    optimizer = torch.optim.AdamW(masters, lr=plan.learning_rate, betas=(0.9, 0.98), fused=True)

    def take(readings: Sequence[Reading]) -> None:
        _loss(_plain_scores(model, readings), plan).backward()
        for master, weight in zip(masters, working.values(), strict=True):
            master.grad = None if weight.grad is None else weight.grad.float()
            weight.grad = None
        torch.nn.utils.clip_grad_norm_(masters, plan.clip_norm)
        optimizer.step()
        for master, weight in zip(masters, working.values(), strict=True):
            weight.data.copy_(master)

    return take


def _loss(scores: Sequence[Tensor], plan: ScoreRecipe) -> Tensor:
    return torch.stack(
        [softmax_cross_entropy(of_group) + plan.pointwise_weight * pointwise(of_group) for of_group in scores]
    ).mean()


def _plain_scores(model: PreTrainedModel, readings: Sequence[Reading]) -> list[Tensor]:
    rows = []
    for reading in readings:
        prompt = reading.encoder.prefix(reading.query).ids
        rows += [[*prompt, *document.ids] for document in reading.encoder.documents(reading.texts, len(prompt))]
    width = max(len(row) for row in rows)
    ids = torch.tensor([[*[0] * (width - len(row)), *row] for row in rows])
    seen = torch.tensor([[*[0] * (width - len(row)), *[1] * len(row)] for row in rows])
    positions = (seen.cumsum(-1) - 1).clamp(min=0)
    logits = model(ids, attention_mask=seen, position_ids=positions, logits_to_keep=1, use_cache=False).logits[:, -1]
    encoder = readings[0].encoder
    scores = logits[:, encoder.relevant_token].float() - logits[:, encoder.irrelevant_token].float()
    return list(scores.split([len(reading.texts) for reading in readings]))


if __name__ == "__main__":
    main()
