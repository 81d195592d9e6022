"""`prorank train data`: the folder with training groups, dev queries, and what they are made of."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from prorank_search.errors import ConfigError, InputError
from prorank_search.storage.whole_files import write_whole
from prorank_training import judged_collection
from prorank_training.collection import Collection
from prorank_training.data import Chosen, dev_queries, folded, judged_queries, texts_of_other_splits, training_groups
from prorank_training.document_queries import half_queries, title_queries
from prorank_training.groups import DevQuery, Group, read_dev, read_groups, write_dev, write_groups
from prorank_training.progress import Progress
from prorank_training.recipe import DataRecipe, IndexRecipe, JudgmentRecipe
from prorank_training.teacher_scores import read_taught

GROUPS_FILE, DEV_FILE, ABOUT_FILE, TEACHER_FILE = "groups.parquet", "dev.parquet", "data.json", "teacher.jsonl"


OF_JUDGMENTS = ("judged_negatives", "misplaced", "missing")
"""What `Statistics` says of judgments of this installation alone."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was made of one collection.

    Attributes:
        collection: Its name.
        language: Its language.
        groups: Training groups.
        hard_negatives: Hard negatives a group, on average.
        held_out: Training queries that were dropped because their text also stands in another split.
        dev_queries: Dev queries.
        duplicates: Training queries that were dropped because another has the same text, and took their documents.
        judged_negatives: Hard negatives a group that were judged irrelevant, on average; judgment store only.
        misplaced: Groups whose positive stood below a document that was judged irrelevant; judgment store only.
        missing: Judged documents that the index lacks; judgment store only.
    """

    collection: str
    language: str
    groups: int
    hard_negatives: float
    held_out: int
    dev_queries: int
    duplicates: int = 0
    judged_negatives: float = 0.0
    misplaced: int = 0
    missing: int = 0


def make(
    recipe: DataRecipe, digest: str, collections: Iterable[Collection], folder: Path, progress: Progress
) -> list[Statistics]:
    """Write groups and dev queries into a folder, and what they are made of; leave them where they are there.

    Args:
        recipe: What is wanted.
        digest: The recipe's digest of that.
        collections: What it is taken from; opened one after another, where there is something to make.
        folder: Where the files go.
        progress: Told of each group.

    Raises:
        InputError: A collection or a split is missing, a line of it cannot be used, or nothing can be learned from it.
        ConfigError: The folder holds another recipe's data or cannot be written, or this recipe names no source.
    """
    about = folder / ABOUT_FILE
    if about.exists():
        return read_statistics(digest, folder)
    total = _groups_wanted(recipe)
    groups: list[Group] = []
    dev: list[DevQuery] = []
    statistics: list[Statistics] = []
    held_back: list[Collection] = []
    elsewhere: set[str] = set()
    for collection in collections:
        elsewhere |= texts_of_other_splits(collection)
        dev += (own_dev := list(dev_queries(collection, recipe)))
        for source, chosen, rng in _sources(collection, recipe.seed):
            own = []
            for group in training_groups(source, chosen.queries, recipe, rng):
                own.append(group)
                known = max(total, len(groups) + len(chosen.queries))
                progress(len(groups) + len(own), known, {"collection": source.name})
            statistics.append(_statistics(source, own, chosen, len(own_dev) if source is collection else 0))
            groups += own
        if isinstance(collection.recipe, JudgmentRecipe):
            held_back += [collection]
    groups, statistics = _without(elsewhere, groups, statistics)
    _check_made(statistics, total, dev)
    random.Random(recipe.seed).shuffle(groups)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_groups(folder / GROUPS_FILE, groups)
        write_dev(folder / DEV_FILE, dev)
        judged_collection.write_held_back(held_back, folder / "held-back")
        write_whole(about, json.dumps({"data_hash": digest, "collections": list(map(asdict, statistics))}, indent=1))
    except OSError as error:
        raise ConfigError(f"the groups cannot be written into {folder}: {error}; make room, or name another") from error
    return statistics


def _without(
    texts: AbstractSet[str], groups: Sequence[Group], statistics: Sequence[Statistics]
) -> tuple[list[Group], list[Statistics]]:
    """Leave out groups whose query another source holds back, and count them."""
    kept = [group for group in groups if folded(group.query) not in texts]
    had, have = (Counter(group.collection for group in some) for some in (groups, kept))
    rows = [
        replace(row, groups=have[row.collection], held_out=row.held_out + had[row.collection] - have[row.collection])
        for row in statistics
    ]
    return kept, rows


def _check_made(statistics: Sequence[Statistics], wanted: int, dev: Sequence[DevQuery]) -> None:
    if not statistics:
        raise ConfigError("the recipe's table [data] names neither collections, nor indexes, nor judgments: name one")
    if wanted and not any(row.groups for row in statistics):
        names = ", ".join(row.collection for row in statistics)
        raise InputError(
            f"no training group came out of {names}: their train judgments have to name documents of the corpus, and "
            "queries whose text stands in no other split"
        )
    if not any(any(query.relevances) for query in dev):
        raise InputError(
            f"the first stage finds no relevant document of any of the {len(dev)} dev queries, and a checkpoint is "
            "calibrated on what it finds: give a source a split 'dev' (an index: dev_qrels), judge more queries, or "
            "look at how the index is analysed"
        )


def _sources(collection: Collection, seed: int) -> Iterator[tuple[Collection, Chosen, random.Random]]:
    """Yield what groups of a collection are made from: its train split, and its documents alone where wanted."""
    rng = random.Random(f"{seed} {collection.name}")
    if isinstance(collection.recipe, JudgmentRecipe):
        yield collection, judged_collection.chosen_queries(collection, rng), rng
        return
    yield collection, judged_queries(collection, rng), rng
    if isinstance(collection.recipe, IndexRecipe):
        return
    made = (
        ("titles", title_queries, collection.recipe.titles),
        ("halves", half_queries, collection.recipe.halves),
    )
    for name, queries_of, wanted in made:
        if wanted:
            source = replace(collection, name=f"{collection.name}-{name}")
            rng = random.Random(f"{seed} {source.name}")
            yield source, Chosen(queries_of(source, wanted, rng), 0, 0), rng


def _groups_wanted(recipe: DataRecipe) -> int:
    folders = sum(wanted.groups + (wanted.titles or 0) + (wanted.halves or 0) for wanted in recipe.collections)
    judged = sum(wanted.groups or 0 for wanted in recipe.judgments or [])
    return folders + judged + sum(wanted.groups for wanted in recipe.indexes or [])


def read_statistics(digest: str, folder: Path) -> list[Statistics]:
    """Read what the data of a folder is made of.

    Raises:
        InputError: The folder holds none.
        ConfigError: It holds another recipe's.
    """
    return [Statistics(**row) for row in _about(digest, folder)["collections"]]


def load(digest: str, folder: Path) -> tuple[list[Group], list[DevQuery]]:
    """Read what `make` wrote; groups that a teacher has scored so far come with its scores.

    Raises:
        InputError: There is nothing, or the teacher's scores are not those of these groups.
        ConfigError: It is another recipe's.
    """
    _about(digest, folder)
    groups = read_groups(folder / GROUPS_FILE)
    for row in read_taught(folder / TEACHER_FILE):
        group = groups[row.group] if row.group < len(groups) else None
        if group is None or len(row.scores) != 1 + len(group.hard_negatives) + len(group.random_negatives):
            raise InputError(
                f"{folder / TEACHER_FILE} holds the scores of other groups: delete it and ask the teacher again"
            )
        groups[row.group] = replace(group, teacher=row.scores)
    return groups, read_dev(folder / DEV_FILE)


def note_teacher(folder: Path, teacher: Mapping[str, object]) -> None:
    """Write down which teacher scores the groups of a folder, before it does.

    Args:
        folder: The data.
        teacher: Its name and revision for each language, and what it reads of a document.

    Raises:
        ConfigError: Another teacher has scored some of them.
    """
    about = _read(folder)
    known = about.setdefault("teacher", teacher)
    if known != teacher and read_taught(folder / TEACHER_FILE):
        raise ConfigError(
            f"{folder} holds the scores of another teacher ({_names(known)}; this one is {_names(teacher)}): delete "
            f"{TEACHER_FILE} there, or choose another folder with --data"
        )
    write_whole(folder / ABOUT_FILE, json.dumps({**about, "teacher": teacher}, indent=1))


def teacher(folder: Path) -> dict[str, Any] | None:
    """Return what `note_teacher` wrote down; None where no teacher was asked."""
    about: dict[str, Any] | None = _read(folder).get("teacher")
    return about


def _about(digest: str, folder: Path) -> dict[str, Any]:
    about = folder / ABOUT_FILE
    if not about.is_file():
        raise InputError(f"{folder} holds no training data: make it with `prorank train data`, or name it with --data")
    known = _read(folder)
    if known["data_hash"] != digest:
        raise ConfigError(
            f"{folder} holds the data of another recipe ({known['data_hash']}, this one's is {digest}): choose another "
            "folder with --data"
        )
    return known


def _read(folder: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    return about


def _names(teacher: Mapping[str, Any]) -> str:
    return json.dumps(teacher, sort_keys=True)


def _statistics(source: Collection, groups: list[Group], chosen: Chosen, dev: int) -> Statistics:
    negatives = fmean(len(group.hard_negatives) for group in groups) if groups else 0.0
    return Statistics(
        collection=source.name,
        language=source.recipe.language,
        groups=len(groups),
        hard_negatives=round(negatives, 2),
        held_out=chosen.held_out,
        dev_queries=dev,
        duplicates=chosen.duplicates,
        judged_negatives=_judged_negatives(groups, chosen),
        misplaced=chosen.misplaced,
        missing=chosen.missing,
    )


def _judged_negatives(groups: Sequence[Group], chosen: Chosen) -> float:
    """Return how many of a group's hard negatives were judged irrelevant, on average."""
    counts = [
        min(len(asked.irrelevant), len(group.hard_negatives))
        for asked, group in zip(chosen.queries, groups, strict=True)
    ]
    return round(fmean(counts), 2) if counts else 0.0
