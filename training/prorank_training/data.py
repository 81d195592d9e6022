"""Training groups and dev queries out of a collection. No judgment of a test split is ever looked at."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from prorank_search import beir
from prorank_search.profiles import Profile
from prorank_training.collection import Collection
from prorank_training.groups import DevQuery, Group
from prorank_training.negatives import hard_negatives, random_negatives
from prorank_training.recipe import DataRecipe

_text_of = Profile().text_of


def train_queries(collection: Collection, rng: random.Random) -> tuple[list[str], int]:
    """Choose the queries of the train split that become groups.

    Returns:
        Their ids in random order, as many as the recipe wants, and how many of the split were dropped because their
        text also stands in another split.
    """
    if not collection.recipe.groups:
        return [], 0
    positives = _positives(collection)
    others = {_folded(collection, query_id) for query_id in _other_splits(collection.folder)}
    usable = [query_id for query_id in sorted(positives) if _folded(collection, query_id) not in others]
    rng.shuffle(usable)
    return usable[: collection.recipe.groups], len(positives) - len(usable)


def training_groups(
    collection: Collection, query_ids: list[str], recipe: DataRecipe, rng: random.Random
) -> Iterator[Group]:
    """Yield a training group for each of these queries of the train split."""
    positives = _positives(collection) if query_ids else {}
    corpus = list(collection.corpus.values())
    for query_id, ranking in collection.rankings(query_ids, recipe.last_rank + 5):
        relevant = [collection.corpus[doc_id] for doc_id in positives[query_id]]
        positive = rng.choice(relevant)
        ranks = (recipe.first_rank, recipe.last_rank)
        hard = hard_negatives(ranking.hits, relevant, ranks, recipe.hard_negatives, recipe.near_duplicate)
        easy = random_negatives(corpus, relevant, recipe.random_negatives, rng)
        yield Group(
            collection=collection.name,
            language=collection.recipe.language,
            query_id=query_id,
            query=ranking.query.text,
            positive=_text_of(positive),
            hard_negatives=[_text_of(document) for document in hard],
            random_negatives=[_text_of(document) for document in easy],
            provenance=[document.doc_id for document in (positive, *hard, *easy)],
            teacher=[],
        )


def dev_queries(collection: Collection, recipe: DataRecipe) -> Iterator[DevQuery]:
    """Yield a fixed sample of one collection's dev queries, each with its first-stage hits."""
    if "dev" not in beir.splits(collection.folder):
        return
    relevance: dict[str, dict[str, int]] = defaultdict(dict)
    for qrel in beir.read_qrels(collection.folder, "dev"):
        relevance[qrel.query_id][qrel.doc_id] = qrel.relevance
    judged = sorted(query_id for query_id, grades in relevance.items() if any(grades.values()))
    rng = random.Random(f"dev {recipe.seed} {collection.name}")
    sample = rng.sample(judged, min(recipe.dev_queries, len(judged)))
    for query_id, ranking in collection.rankings(sample, recipe.dev_window + 1):
        hits = [hit for hit in ranking.hits if hit.document.doc_id != query_id][: recipe.dev_window]
        grades = relevance[query_id]
        yield DevQuery(
            collection=collection.name,
            query=ranking.query.text,
            texts=[_text_of(hit.document) for hit in hits],
            first_stage_scores=[hit.score for hit in hits],
            relevances=[grades.get(hit.document.doc_id, 0) for hit in hits],
            ideal=sorted(grades.values(), reverse=True),
        )


def _other_splits(folder: Path) -> set[str]:
    names = [split for split in beir.splits(folder) if split != "train"]
    return {qrel.query_id for split in names for qrel in beir.read_qrels(folder, split)}


def _positives(collection: Collection) -> dict[str, list[str]]:
    positives: dict[str, list[str]] = defaultdict(list)
    for qrel in beir.read_qrels(collection.folder, "train"):
        if qrel.relevance > 0 and qrel.doc_id in collection.corpus:
            positives[qrel.query_id].append(qrel.doc_id)
    return positives


def _folded(collection: Collection, query_id: str) -> str:
    return " ".join(collection.query(query_id).text.casefold().split())
