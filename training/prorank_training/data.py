"""Training groups and dev queries out of a collection.

Of a test split only the queries' texts and the documents' ids are looked at, so that nothing of it is trained on.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prorank_search.evaluation.judged import own_documents
from prorank_search.profiles import Profile
from prorank_search.types import Document, Query
from prorank_training.collection import Collection
from prorank_training.groups import DevQuery, Group
from prorank_training.negatives import hard_negatives, random_negatives
from prorank_training.recipe import DataRecipe

_text_of = Profile().text_of


@dataclass(frozen=True, slots=True)
class TrainingQuery:
    """A query to make a group of.

    Attributes:
        query: Its id and text.
        relevant: The documents that answer it, well or badly: none of them becomes a negative.
        text_of: What the model sees of a document in this group.
        positive: The document that is learned to be relevant; None: any of the relevant ones.
        irrelevant: Documents that were judged irrelevant: the first hard negatives, the worst mistake first.
    """

    query: Query
    relevant: Sequence[Document]
    text_of: Callable[[Document], str] = _text_of
    positive: Document | None = None
    irrelevant: Sequence[Document] = ()

    def is_answered_by_itself(self) -> bool:
        """Tell whether the document of the query's id is relevant: else it is left out, as evaluations do."""
        return any(document.doc_id == self.query.query_id for document in self.relevant)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The queries of a train split that become groups.

    Attributes:
        queries: In random order, each text once.
        held_out: Queries that were dropped because their text also stands in another split.
        duplicates: Queries that were dropped because another of the split has the same text, and took their documents.
        misplaced: Groups whose positive stands below a document that was judged irrelevant.
        missing: Judged documents that the index lacks.
    """

    queries: list[TrainingQuery]
    held_out: int
    duplicates: int
    misplaced: int = 0
    missing: int = 0


def judged_queries(collection: Collection, rng: random.Random) -> Chosen:
    """Choose queries of the train split, as many as the recipe wants."""
    if not collection.recipe.groups:
        return Chosen([], 0, 0)
    positives = _positives(collection)
    others = texts_of_other_splits(collection)
    usable = [query_id for query_id in sorted(positives) if folded(collection.query(query_id).text) not in others]
    rng.shuffle(usable)
    by_text: dict[str, list[str]] = defaultdict(list)
    for query_id in usable:
        by_text[folded(collection.query(query_id).text)].append(query_id)
    queries = [
        TrainingQuery(collection.query(same[0]), _documents(collection, same, positives)) for same in by_text.values()
    ]
    return Chosen(
        queries[: collection.recipe.groups], len(positives) - len(usable), duplicates=len(usable) - len(queries)
    )


def training_groups(
    collection: Collection, queries: Iterable[TrainingQuery], recipe: DataRecipe, rng: random.Random
) -> Iterator[Group]:
    """Yield a training group for each query."""
    queries = list(queries)
    corpus = list(collection.corpus.values())
    own = {asked.query.query_id for asked in queries if not asked.is_answered_by_itself()}
    rankings = collection.rankings((asked.query for asked in queries), recipe.last_rank + 5, own)
    for asked, ranking in zip(queries, rankings, strict=True):
        positive = asked.positive or rng.choice(asked.relevant)
        ranks = (recipe.first_rank, recipe.last_rank)
        found = hard_negatives(ranking.hits, asked.relevant, ranks, recipe.hard_negatives, recipe.near_duplicate)
        hard = _distinct([*asked.irrelevant, *found])[: recipe.hard_negatives]
        easy = random_negatives(corpus, asked.relevant, recipe.random_negatives, rng)
        yield Group(
            collection=collection.name,
            language=collection.recipe.language,
            query_id=asked.query.query_id,
            query=asked.query.text,
            positive=asked.text_of(positive),
            hard_negatives=[asked.text_of(document) for document in hard],
            random_negatives=[asked.text_of(document) for document in easy],
            provenance=[document.doc_id for document in (positive, *hard, *easy)],
            teacher=[],
        )


def dev_queries(collection: Collection, recipe: DataRecipe) -> Iterator[DevQuery]:
    """Yield a fixed sample of one collection's dev queries, each with its first-stage hits."""
    if "dev" not in collection.splits:
        return
    qrels = collection.qrels("dev")
    relevance: dict[str, dict[str, int]] = defaultdict(dict)
    for qrel in qrels:
        relevance[qrel.query_id][qrel.doc_id] = max(0, qrel.relevance)  # TREC has negative grades
    judged = sorted(query_id for query_id, grades in relevance.items() if any(grades.values()))
    rng = random.Random(f"dev {recipe.seed} {collection.name}")
    sample = rng.sample(judged, min(recipe.dev_queries, len(judged)))
    rankings = collection.rankings(map(collection.query, sample), recipe.dev_window, own_documents(qrels))
    for query_id, ranking in zip(sample, rankings, strict=True):
        grades = relevance[query_id]
        yield DevQuery(
            collection=collection.name,
            query=ranking.query.text,
            texts=[_text_of(hit.document) for hit in ranking.hits],
            first_stage_scores=[hit.score for hit in ranking.hits],
            relevances=[grades.get(hit.document.doc_id, 0) for hit in ranking.hits],
            ideal=sorted(grades.values(), reverse=True),
        )


def other_splits(collection: Collection) -> list[str]:
    """Return the splits that are not trained on."""
    return [split for split in collection.splits if split != "train"]


def texts_of_other_splits(collection: Collection) -> set[str]:
    """Return the texts of the queries that other splits than train judge, folded."""
    query_ids = {qrel.query_id for split in other_splits(collection) for qrel in collection.qrels(split)}
    return {folded(collection.query(query_id).text) for query_id in query_ids}


def _positives(collection: Collection) -> dict[str, list[str]]:
    positives: dict[str, list[str]] = defaultdict(list)
    for qrel in collection.qrels("train"):
        if qrel.relevance > 0 and qrel.doc_id in collection.corpus:
            positives[qrel.query_id].append(qrel.doc_id)
    return positives


def _distinct(documents: Iterable[Document]) -> list[Document]:
    return list({document.doc_id: document for document in documents}.values())


def _documents(collection: Collection, query_ids: Iterable[str], positives: dict[str, list[str]]) -> list[Document]:
    doc_ids = dict.fromkeys(doc_id for query_id in query_ids for doc_id in positives[query_id])
    return [collection.corpus[doc_id] for doc_id in doc_ids]


def folded(query: str) -> str:
    """Return a query's text as it is compared: without case, one space between words."""
    return " ".join(query.casefold().split())
