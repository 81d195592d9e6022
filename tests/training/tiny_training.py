"""A BEIR folder of animals, groups of it, and a recipe for a model of a few kilobytes."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prorank_search.settings import Settings
from prorank_training.groups import DevQuery, Group
from prorank_training.recipe import Recipe
from tests.tiny_model import write_model

ANIMALS = ("fox", "whale", "river", "student", "engine", "field")
PLACES = ("sea", "path", "system", "file", "cold", "fast")

GOLDEN_PAIR = {
    "query": "where is the fox",
    "relevant": "the fox swims in the sea",
    "irrelevant": "the whale swims in the sea",
}


def recipe(**score: object) -> Recipe:
    """Return a recipe for the tiny model, with changes to its `[score]`."""
    plan: dict[str, object] = {
        "steps": 12,
        "groups_a_step": 3,
        "negatives": 3,
        "random_only_steps": 4,
        "document_tokens": {"16": 0.5, "32": 0.5},
        "learning_rate": 2e-3,
        "tokens_a_batch": 512,
        "evaluate_every": 6,
        "save_every_s": 0.0,
    }
    return Recipe.model_validate(
        {
            "base": "tiny",
            "max_length_tokens": 128,
            "query_max_tokens": 24,
            "data": {"collections": [], "hard_negatives": 3, "random_negatives": 2},
            "score": plan | score,
            "export": {
                "name": "tiny-prorank",
                "form": "low-rank-64",
                "golden_pair": GOLDEN_PAIR,
            },
        }
    )


def settings(home: Path, model_type: str = "llama") -> Settings:
    """Return settings whose home holds the tiny model."""
    write_model(home / "models" / "tiny", model_type)
    return Settings(home=home, device="cpu", dtype="float32")


def groups(count: int = 24, seed: int = 0) -> list[Group]:
    """Return groups in which the document that names the query's animal is the relevant one."""
    rng = random.Random(seed)
    return [_group(number, rng) for number in range(count)]


def dev_queries(count: int = 6, seed: int = 9) -> list[DevQuery]:
    """Return dev queries of two collections, the relevant text last in the first stage's order."""
    return [
        DevQuery(
            collection=f"animals{number % 2}",
            query=group.query,
            texts=[*group.hard_negatives, group.positive],
            first_stage_scores=[9.0, 8.0, 7.0, 6.0],
            relevances=[0, 0, 0, 1],
            ideal=[1],
        )
        for number, group in enumerate(groups(count, seed))
    ]


def write_beir(
    folder: Path,
    documents: Mapping[str, str],
    queries: Mapping[str, str],
    qrels: Mapping[str, Sequence[tuple[str, str]]],
) -> Path:
    """Write a BEIR folder; `qrels` maps a split to its relevant pairs of query and document."""
    (folder / "qrels").mkdir(parents=True)
    rows: list[dict[str, Any]] = [{"_id": key, "title": "", "text": text} for key, text in documents.items()]
    _write_lines(folder / "corpus.jsonl", rows)
    _write_lines(folder / "queries.jsonl", [{"_id": key, "text": text} for key, text in queries.items()])
    for split, pairs in qrels.items():
        lines = ["query-id\tcorpus-id\tscore", *(f"{query_id}\t{doc_id}\t1" for query_id, doc_id in pairs)]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _group(number: int, rng: random.Random) -> Group:
    animal, *others = rng.sample(ANIMALS, len(ANIMALS))
    texts = [f"the {name} swims in the {rng.choice(PLACES)}" for name in (animal, *others)]
    return Group(
        collection="animals",
        language="en",
        query_id=str(number),
        query=f"where is the {animal}",
        positive=texts[0],
        hard_negatives=texts[1:4],
        random_negatives=texts[4:],
        provenance=[],
        teacher=[],
    )


def _write_lines(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
