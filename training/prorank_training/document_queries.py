"""Training queries that nobody asked: a document's own title, or its first half.

Documents that a judgment of another split than train names are left out. What other documents answer such a query,
nobody judged, so these groups are meant for a teacher.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from prorank_search.sentences import sentences
from prorank_search.types import Document, Query
from prorank_training.collection import Collection
from prorank_training.data import TrainingQuery, folded, other_splits, texts_of_other_splits

_SHORTEST_HALF = 60
"""Characters."""


def title_queries(collection: Collection, wanted: int, rng: random.Random) -> list[TrainingQuery]:
    """Choose documents whose title becomes the query of a group, in which documents are seen without their titles.

    Titles that are queries of another split are left out.
    """
    untitled = [replace(document, text=_without_title(document)) for document in _unjudged(collection)]
    return _chosen(
        collection,
        (
            TrainingQuery(Query(document.doc_id, document.title.strip()), [document], _without_title)
            for document in untitled
            if document.title and document.text
        ),
        wanted,
        rng,
    )


def half_queries(collection: Collection, wanted: int, rng: random.Random) -> list[TrainingQuery]:
    """Choose documents whose first half becomes the query of a group, in which only second halves are seen.

    Long queries come from nowhere else. The inverse cloze task (Lee et al. 2019, arXiv 1906.00300), with halves.
    """
    return _chosen(
        collection,
        (
            TrainingQuery(Query(document.doc_id, first), [document], _second_half)
            for document in _unjudged(collection)
            if len(first := halves(document.text)[0]) >= _SHORTEST_HALF
        ),
        wanted,
        rng,
    )


def halves(text: str) -> tuple[str, str]:
    """Part a text at the end of the sentence that is nearest its middle; a text of one sentence has no first half.

    Example:
        >>> halves("It barks. It runs. It sleeps a lot.")
        ('It barks. It runs.', 'It sleeps a lot.')
    """
    starts = [start for start, _ in sentences(text)][1:]
    if not starts:
        return "", text
    nearest = min(starts, key=lambda start: abs(2 * start - len(text)))
    return text[:nearest].strip(), text[nearest:].strip()


def _unjudged(collection: Collection) -> list[Document]:
    judged = {qrel.doc_id for split in other_splits(collection) for qrel in collection.qrels(split)}
    return [document for doc_id, document in sorted(collection.corpus.items()) if doc_id not in judged]


def _chosen(
    collection: Collection, made: Iterable[TrainingQuery], wanted: int, rng: random.Random
) -> list[TrainingQuery]:
    texts = texts_of_other_splits(collection)
    queries = {key: asked for asked in made if (key := folded(asked.query.text)) not in texts}
    return rng.sample(list(queries.values()), min(wanted, len(queries)))


def _without_title(document: Document) -> str:
    return document.text.removeprefix(document.title).lstrip()


def _second_half(document: Document) -> str:
    return halves(document.text)[1]
