"""Queries with one document each, relevant and irrelevant ones in equal number: what stage 1 asks the model about."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prorank_search.prompt import IRRELEVANT, RELEVANT
from prorank_training.groups import DevQuery, Group, epoch_order
from prorank_training.recipe import WarmupRecipe


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, a document, and the judgment: "1" or "0"."""

    query: str
    text: str
    judgment: str


def training_pairs(groups: Sequence[Group], plan: WarmupRecipe, seed: int) -> Iterator[list[Pair]]:
    """Yield each step's pairs: of every group drawn its positive, then one negative.

    Negatives are random ones at first; later a share of them is hard.
    """
    order = epoch_order(len(groups), plan.steps * plan.queries_a_step, seed)
    for step in range(plan.steps):
        drawn = [groups[at] for at in order[step * plan.queries_a_step : (step + 1) * plan.queries_a_step]]
        yield [pair for group in drawn for pair in _both(group, plan, step, seed)]


def dev_pairs(queries: Sequence[DevQuery], wanted: int, seed: int) -> list[Pair]:
    """Draw dev queries, and for each a relevant and an irrelevant one of its first-stage hits.

    Args:
        queries: The dev queries; those whose hits are all of one kind are passed over.
        wanted: Pairs at most.
        seed: Of the draw.
    """
    rng = random.Random(f"dev pairs {seed}")
    usable = [query for query in queries if 0 < sum(map(bool, query.relevances)) < len(query.texts)]
    pairs = []
    for query in rng.sample(usable, min(wanted // 2, len(usable))):
        for judgment in (RELEVANT, IRRELEVANT):
            relevant = judgment == RELEVANT
            texts = [text for text, grade in zip(query.texts, query.relevances, strict=True) if (grade > 0) == relevant]
            pairs.append(Pair(query.query, rng.choice(texts), judgment))
    return pairs


def _both(group: Group, plan: WarmupRecipe, step: int, seed: int) -> list[Pair]:
    rng = random.Random(f"{seed} {step} {group.collection} {group.query_id}")
    hard = step >= plan.random_only_steps and rng.random() < plan.hard_share
    negatives = (group.hard_negatives if hard else group.random_negatives) or group.hard_negatives
    negative = rng.choice(negatives or group.random_negatives)
    return [Pair(group.query, group.positive, RELEVANT), Pair(group.query, negative, IRRELEVANT)]
