"""Training groups and dev queries on disk: Parquet, each row with where it comes from; and whose turn it is when."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from prorank_search.errors import InputError


@dataclass(frozen=True, slots=True)
class Group:
    """A query, a document that answers it, and documents that do not.

    Attributes:
        collection: Where it comes from.
        language: Language tag.
        query_id: The query's id there.
        query: Its text.
        positive: Text of the relevant document, as the model sees it.
        hard_negatives: Texts that the first stage ranks high, best rank first.
        random_negatives: Texts drawn from the whole collection.
        provenance: Ids of the positive, the hard and the random negatives.
        teacher: A teacher's scores of the positive, the hard and the random negatives; empty without one.
    """

    collection: str
    language: str
    query_id: str
    query: str
    positive: str
    hard_negatives: list[str]
    random_negatives: list[str]
    provenance: list[str]
    teacher: list[float]


@dataclass(frozen=True, slots=True)
class DevQuery:
    """A held-out query with its first-stage hits, to be rescored.

    Attributes:
        collection: Where it comes from.
        query: Its text.
        texts: Texts of the first hits, in first-stage order.
        first_stage_scores: Their scores.
        relevances: Their judged relevance, 0 where not judged.
        ideal: All judged relevances of the query, highest first.
    """

    collection: str
    query: str
    texts: list[str]
    first_stage_scores: list[float]
    relevances: list[int]
    ideal: list[int]


def write_groups(path: Path, groups: Iterable[Group]) -> None:
    """Write training groups."""
    pq.write_table(pa.Table.from_pylist([asdict(group) for group in groups]), path, compression="zstd")


def read_groups(path: Path) -> list[Group]:
    """Read training groups."""
    return [Group(**row) for row in _rows(path)]


def write_dev(path: Path, queries: Iterable[DevQuery]) -> None:
    """Write dev queries."""
    pq.write_table(pa.Table.from_pylist([asdict(query) for query in queries]), path, compression="zstd")


def read_dev(path: Path) -> list[DevQuery]:
    """Read dev queries."""
    return [DevQuery(**row) for row in _rows(path)]


def epoch_order(groups: int, wanted: int, seed: int) -> list[int]:
    """Return which group comes when: one random pass over all of them after another.

    Raises:
        InputError: There are none.
    """
    if not groups:
        raise InputError(
            "there are no training groups: the recipe asks for none, or no judged document is in the corpus"
        )
    rng = random.Random(seed)
    order: list[int] = []
    while len(order) < wanted:
        order += rng.sample(range(groups), groups)
    return order[:wanted]


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"{path} is missing: make it with `prorank train data`")
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows
