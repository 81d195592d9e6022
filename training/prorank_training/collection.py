"""A BEIR folder as training reads it: in memory, its corpus indexed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prorank_search import beir
from prorank_search.errors import InputError
from prorank_search.protocols import IndexBackend
from prorank_search.types import Document, Query, Ranking, SearchRequest
from prorank_training.recipe import CollectionRecipe

_QUERIES_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Collection:
    """A BEIR folder in memory, its corpus indexed.

    Attributes:
        recipe: What is wanted of it.
        folder: Where it lies.
        corpus: Its documents.
        queries: Its queries by id.
        backend: Where it is indexed.
        index: The index's name.
    """

    recipe: CollectionRecipe
    folder: Path
    corpus: Mapping[str, Document]
    queries: Mapping[str, Query]
    backend: IndexBackend
    index: str

    @property
    def name(self) -> str:
        """What the collection is called in groups and tables."""
        return self.folder.name.lower()

    def query(self, query_id: str) -> Query:
        """Return a query that the judgments name.

        Raises:
            InputError: `queries.jsonl` lacks it.
        """
        if query_id not in self.queries:
            raise InputError(f"{self.folder}: the judgments name the query {query_id!r}, which queries.jsonl lacks")
        return self.queries[query_id]

    def rankings(self, query_ids: list[str], top_k: int) -> Iterator[tuple[str, Ranking]]:
        """Yield the first stage's answer to each query."""
        for start in range(0, len(query_ids), _QUERIES_AT_ONCE):
            some = query_ids[start : start + _QUERIES_AT_ONCE]
            requests = [SearchRequest(self.index, self.query(query_id), top_k=top_k) for query_id in some]
            yield from zip(some, self.backend.search_many(requests), strict=True)


def open_collection(recipe: CollectionRecipe, root: Path, backend: IndexBackend) -> Collection:
    """Read a collection and index its corpus, unless that was done before."""
    folder = root / recipe.folder
    index = f"{folder.name.lower()}-{recipe.analysis}"
    corpus = {document.doc_id: document for document in beir.read_corpus(folder)}
    if (index, len(corpus)) not in {(info.name, info.documents) for info in backend.indexes()}:
        with backend.writer(index, analysis=recipe.analysis, replace=True) as writer:
            writer.add(corpus.values())
            writer.publish()
    return Collection(recipe, folder, corpus, beir.read_queries(folder), backend, index)
