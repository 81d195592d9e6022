"""`prorank train data`: collections become training groups and dev queries. Reads no test document's judgment."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prorank_search import beir
from prorank_search.profiles import Profile
from prorank_search.protocols import IndexBackend
from prorank_search.types import Document, Query, Ranking, SearchRequest
from prorank_training.groups import DevQuery, Group
from prorank_training.negatives import hard_negatives, random_negatives
from prorank_training.recipe import CollectionRecipe, DataRecipe

_QUERIES_AT_ONCE = 64

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Collection:
    """A BEIR folder in memory, its corpus indexed.

    Attributes:
        recipe: What is wanted of it.
        name: The folder's name, and the index's.
        corpus: Its documents.
        queries: Its queries by id.
        backend: Where it is indexed.
    """

    recipe: CollectionRecipe
    name: str
    corpus: Mapping[str, Document]
    queries: Mapping[str, Query]
    backend: IndexBackend


def open_collection(recipe: CollectionRecipe, root: Path, backend: IndexBackend) -> Collection:
    """Read a collection and index its corpus, unless that was done before."""
    folder = root / recipe.folder
    name = folder.name.lower()
    corpus = {document.doc_id: document for document in beir.read_corpus(folder)}
    if name not in {info.name for info in backend.indexes()}:
        with backend.writer(name, analysis=recipe.analysis, replace=True) as writer:
            writer.add(corpus.values())
            writer.publish()
    return Collection(recipe, name, corpus, beir.read_queries(folder), backend)


def training_groups(collection: Collection, folder: Path, recipe: DataRecipe) -> Iterator[Group]:
    """Yield training groups of one collection's train split.

    Queries whose text also stands in the dev or test split are left out.
    """
    rng = random.Random(f"{recipe.seed} {collection.name}")
    held_out = held_out_texts(collection, folder)
    positives = _positives(collection, folder, "train")
    query_ids = [query_id for query_id in sorted(positives) if _text(collection, query_id) not in held_out]
    rng.shuffle(query_ids)
    corpus = list(collection.corpus.values())
    for query_id, ranking in _rankings(collection, query_ids[: collection.recipe.groups], recipe.last_rank + 5):
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
            positive=Profile().text_of(positive),
            hard_negatives=[Profile().text_of(document) for document in hard],
            random_negatives=[Profile().text_of(document) for document in easy],
            provenance=[document.doc_id for document in (positive, *hard, *easy)],
            teacher=[],
        )


def dev_queries(collection: Collection, folder: Path, recipe: DataRecipe) -> Iterator[DevQuery]:
    """Yield a fixed sample of one collection's dev queries, each with its first-stage hits."""
    if "dev" not in beir.splits(folder):
        return
    relevance: dict[str, dict[str, int]] = defaultdict(dict)
    for qrel in beir.read_qrels(folder, "dev"):
        relevance[qrel.query_id][qrel.doc_id] = qrel.relevance
    judged = sorted(query_id for query_id, grades in relevance.items() if any(grades.values()))
    rng = random.Random(f"dev {recipe.seed} {collection.name}")
    sample = rng.sample(judged, min(recipe.dev_queries, len(judged)))
    for query_id, ranking in _rankings(collection, sample, recipe.dev_window + 1):
        hits = [hit for hit in ranking.hits if hit.document.doc_id != query_id][: recipe.dev_window]
        grades = relevance[query_id]
        yield DevQuery(
            collection=collection.name,
            query=ranking.query.text,
            texts=[Profile().text_of(hit.document) for hit in hits],
            first_stage_scores=[hit.score for hit in hits],
            relevances=[grades.get(hit.document.doc_id, 0) for hit in hits],
            ideal=sorted(grades.values(), reverse=True),
        )


def held_out_texts(collection: Collection, folder: Path) -> set[str]:
    """Return the texts of all dev and test queries, folded: a training query must not be one of them."""
    query_ids = {
        qrel.query_id for split in beir.splits(folder) if split != "train" for qrel in beir.read_qrels(folder, split)
    }
    return {_text(collection, query_id) for query_id in query_ids}


def statistics(groups: list[Group]) -> list[str]:
    """Return lines that say what the groups are made of."""
    counts = Counter((group.collection, group.language) for group in groups)
    negatives = Counter(dict.fromkeys(counts, 0))
    for group in groups:
        negatives[group.collection, group.language] += len(group.hard_negatives)
    return [
        f"{collection} ({language}): {count} groups, {negatives[collection, language] / count:.1f} hard negatives each"
        for (collection, language), count in sorted(counts.items())
    ]


def _positives(collection: Collection, folder: Path, split: str) -> dict[str, list[str]]:
    if split not in beir.splits(folder):
        return {}
    positives: dict[str, list[str]] = defaultdict(list)
    for qrel in beir.read_qrels(folder, split):
        if qrel.relevance > 0 and qrel.doc_id in collection.corpus:
            positives[qrel.query_id].append(qrel.doc_id)
    return positives


def _rankings(collection: Collection, query_ids: list[str], top_k: int) -> Iterator[tuple[str, Ranking]]:
    for start in range(0, len(query_ids), _QUERIES_AT_ONCE):
        some = query_ids[start : start + _QUERIES_AT_ONCE]
        requests = [SearchRequest(collection.name, collection.queries[query_id], top_k=top_k) for query_id in some]
        yield from zip(some, collection.backend.search_many(requests), strict=True)


def _text(collection: Collection, query_id: str) -> str:
    return " ".join(collection.queries[query_id].text.casefold().split())
