"""This installation's judgments as a collection: a query set of the judgment store, and the index that it judges.

Queries are parted into `train` and `dev` by their texts alone: a query stays on its side when others are judged later.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from prorank_search.errors import InputError
from prorank_search.judgments import JudgmentStore, exchange
from prorank_search.passages import whole_documents
from prorank_search.profiles import Profile
from prorank_search.protocols import IndexBackend, Rescorer
from prorank_search.query_files import written_queries
from prorank_search.rescore import worth
from prorank_search.types import Query, ScoreRequest
from prorank_training.collection import Collection
from prorank_training.data import Chosen, TrainingQuery, folded
from prorank_training.recipe import JudgmentRecipe

_FEWEST_QUERIES = 2
_RANKED: Final = 200
"""First-stage hits among which a judged document has a rank; all others stand below."""

_text_of = Profile().text_of


def open_judgments(
    recipe: JudgmentRecipe, store: JudgmentStore, backend: IndexBackend, rescorer: Rescorer | None
) -> Collection:
    """Read a query set, what persons judged of it, and its index's documents.

    Args:
        recipe: What is wanted of it.
        store: Holds the query set.
        backend: Holds the index, which is only read.
        rescorer: By whose scores mistakes are told; None: by the first stage's ranks.

    Raises:
        InputError: There is no such set, its index is gone, or fewer than two of its queries have a relevant document.
    """
    queries = store.queries(recipe.query_set)
    index = store.query_set(recipe.query_set).index
    corpus = {document.doc_id: document for document in whole_documents(backend.scan(index))}
    qrels = store.qrels(recipe.query_set)
    answered = {row.query_id for row in qrels if row.relevance >= recipe.relevant_from and row.doc_id in corpus}
    if len(answered) < _FEWEST_QUERIES:
        raise InputError(
            f"the query set {recipe.query_set!r} has {len(answered)} queries with a document of the index {index!r} "
            f"that a person judged relevant; training wants {_FEWEST_QUERIES} at least, and gets better with hundreds: "
            "judge more, or import judgments"
        )
    dev = held_back([queries[query_id] for query_id in sorted(answered)], recipe.held_back)
    splits = {
        "train": [row for row in qrels if row.query_id not in dev],
        "dev": [row for row in qrels if row.query_id in dev],
    }
    return Collection(
        recipe=recipe,
        name=recipe.query_set,
        place=f"query set {recipe.query_set}",
        corpus=corpus,
        queries=queries,
        splits=list(splits),
        qrels=splits.__getitem__,
        backend=backend,
        index=index,
        rescorer=rescorer,
    )


def held_back(queries: Sequence[Query], share: float) -> set[str]:
    """Return the ids of the queries that are not trained on, by their texts; one at least, and never all of them.

    Example:
        >>> asked = [Query(str(number), f"what is {number}") for number in range(50)]
        >>> first, more = held_back(asked[:25], 0.2), held_back(asked, 0.2)
        >>> len(first), len(more), first < more
        (4, 11, True)
    """
    places = {query.query_id: _place(query) for query in queries}
    by_place = sorted(places, key=places.__getitem__)
    lowest, highest = places[by_place[0]], places[by_place[-1]]
    return {query_id for query_id, place in places.items() if place == lowest or place < min(share, highest)}


def chosen_queries(collection: Collection, rng: random.Random) -> Chosen:
    """Choose what groups are made of: each relevant document of a query once, against those judged irrelevant."""
    recipe = _recipe(collection)
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    missing = 0
    for row in collection.qrels("train"):
        missing += row.doc_id not in collection.corpus
        grades[row.query_id][row.doc_id] = row.relevance
    queries: list[TrainingQuery] = []
    misplaced = 0
    for query_id in sorted(grades):
        judged = {doc_id: grade for doc_id, grade in grades[query_id].items() if doc_id in collection.corpus}
        if any(grade >= recipe.relevant_from for grade in judged.values()):
            own, wrong = _of_query(collection, collection.query(query_id), judged)
            queries += own
            misplaced += wrong
    rng.shuffle(queries)
    return Chosen(queries[: recipe.groups], 0, 0, misplaced, missing)


def write_held_back(collections: Sequence[Collection], folder: Path) -> None:
    """Write the queries that are not trained on and their judgments, as `prorank evaluate` reads them.

    Args:
        collections: Opened by `open_judgments`; without any nothing is written.
        folder: Gets `NAME.queries.jsonl` and `NAME.qrels.tsv` of each, and `sets.json`, which says of each query set
            its name, its index and these files.
    """
    if not collections:
        return
    folder.mkdir(parents=True, exist_ok=True)
    sets: dict[str, dict[str, str]] = {}
    for collection in collections:
        name = re.sub(r"[^\w-]+", "-", collection.name).strip("-") or "queries"
        name = f"{name}-{len(sets)}" if name in sets else name
        files = {"queries": f"{name}.queries.jsonl", "qrels": f"{name}.qrels.tsv"}
        _write_judged(collection, folder / files["queries"], folder / files["qrels"])
        sets[name] = {"query_set": collection.name, "index": collection.index, **files}
    (folder / "sets.json").write_text(json.dumps(list(sets.values()), ensure_ascii=False, indent=1), encoding="utf-8")


def _write_judged(collection: Collection, queries_file: Path, qrels_file: Path) -> None:
    qrels = collection.qrels("dev")
    queries = {row.query_id: collection.query(row.query_id) for row in qrels}
    queries_file.write_text(written_queries(queries.values()), encoding="utf-8")
    qrels_file.write_text(exchange.written("beir", queries, qrels, collection.name), encoding="utf-8")


def _of_query(collection: Collection, query: Query, judged: Mapping[str, int]) -> tuple[list[TrainingQuery], int]:
    """Return what groups of a query are made of, and how many positives stand below an irrelevant document."""
    recipe = _recipe(collection)
    best_first = _best_first(collection, query, list(judged))
    places = {doc_id: at for at, doc_id in enumerate(best_first)}
    relevant = [collection.corpus[doc_id] for doc_id in best_first if judged[doc_id] > 0]
    irrelevant = [collection.corpus[doc_id] for doc_id in best_first if judged[doc_id] <= 0]
    positives = [document for document in relevant if judged[document.doc_id] >= recipe.relevant_from]
    made = [TrainingQuery(query, relevant, positive=positive, irrelevant=irrelevant) for positive in positives]
    above = places[irrelevant[0].doc_id] if irrelevant else len(places)
    return made, sum(places[positive.doc_id] > above for positive in positives)


def _best_first(collection: Collection, query: Query, doc_ids: Sequence[str]) -> list[str]:
    """Order judged documents as the rescorer scores them, or as the first stage ranks them; ties by id."""
    if collection.rescorer is None:
        (ranking,) = collection.rankings([query], _RANKED, own=set())
        ranks = {hit.document.doc_id: at for at, hit in enumerate(ranking.hits)}
        return sorted(doc_ids, key=lambda doc_id: (ranks.get(doc_id, _RANKED), doc_id))
    texts = [_text_of(collection.corpus[doc_id]) for doc_id in doc_ids]
    scored = collection.rescorer.score(ScoreRequest(query.text, texts))
    said = dict(zip(doc_ids, scored, strict=True))
    return sorted(sorted(doc_ids), key=lambda doc_id: worth(said[doc_id]), reverse=True)


def _recipe(collection: Collection) -> JudgmentRecipe:
    if not isinstance(collection.recipe, JudgmentRecipe):
        raise TypeError(f"{collection.place} comes from no judgment store")
    return collection.recipe


def _place(query: Query) -> float:
    """Return a number from 0 to 1 that a query's text alone decides, in whatever case and spacing."""
    return int(hashlib.sha256(folded(query.text).encode()).hexdigest()[:12], 16) / 16**12
