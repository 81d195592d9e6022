"""What training takes queries, judgments and documents from: a BEIR folder, or an index with files of judgments.

`judged_collection` opens a third one: an index with judgments of this installation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prorank_search import beir
from prorank_search.errors import ConfigError, InputError
from prorank_search.evaluation.corpus_index import corpus_index
from prorank_search.evaluation.evaluate import rankings
from prorank_search.passages import whole_documents
from prorank_search.protocols import IndexBackend, Rescorer
from prorank_search.qrels_files import read_qrels
from prorank_search.query_files import read_queries
from prorank_search.types import Document, Qrel, Query, Ranking, SearchRequest
from prorank_training.recipe import CollectionRecipe, IndexRecipe, JudgmentRecipe


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents in memory, the index they are found in, and judgments by split.

    Attributes:
        recipe: What is wanted of it.
        name: What it is called in groups and tables.
        place: Where it lies, for messages.
        corpus: Its documents.
        queries: Its queries by id.
        splits: The splits that it has judgments of.
        qrels: Reads the judgments of a split.
        backend: Where it is indexed.
        index: The index's name.
        rescorer: By whose scores the mistakes of judged documents are told; None: by the first stage's ranks.
    """

    recipe: CollectionRecipe | IndexRecipe | JudgmentRecipe
    name: str
    place: str
    corpus: Mapping[str, Document]
    queries: Mapping[str, Query]
    splits: Sequence[str]
    qrels: Callable[[str], list[Qrel]]
    backend: IndexBackend
    index: str
    rescorer: Rescorer | None = None

    def query(self, query_id: str) -> Query:
        """Return a query that the judgments name.

        Raises:
            InputError: The queries lack it.
        """
        if query_id not in self.queries:
            raise InputError(f"{self.place}: the judgments name the query {query_id!r}, which the queries lack")
        return self.queries[query_id]

    def rankings(self, queries: Iterable[Query], depth: int, own: set[str]) -> Iterator[Ranking]:
        """Yield the first stage's answer to each query.

        Args:
            queries: The queries.
            depth: Hits wanted.
            own: Queries whose own document is left out, see `prorank_search.evaluation.judged.own_documents`.
        """

        def find(some: Sequence[Query], top_k: int) -> list[Ranking]:
            return self.backend.search_many([SearchRequest(self.index, query, top_k=top_k) for query in some])

        return (ranking for ranking, _ in rankings(list(queries), find, depth, own))


def open_folder(recipe: CollectionRecipe, root: Path, backend: IndexBackend) -> Collection:
    """Read a BEIR folder and index its corpus, unless that was done before.

    Args:
        recipe: What is wanted of it.
        root: The folder of collections.
        backend: Where it is indexed.

    Raises:
        InputError: The folder or a file of it is missing, or a line cannot be used.
    """
    folder = root / recipe.folder
    corpus = {document.doc_id: document for document in beir.read_corpus(folder)}
    return Collection(
        recipe=recipe,
        name=folder.name.lower(),
        place=str(folder),
        corpus=corpus,
        queries=beir.read_queries(folder),
        splits=beir.splits(folder),
        qrels=lambda split: beir.read_qrels(folder, split),
        backend=backend,
        index=corpus_index(folder, recipe.analysis, backend),
    )


def open_index(recipe: IndexRecipe, root: Path, backend: IndexBackend) -> Collection:
    """Read an index's documents, and its queries and judgments from files beside the collections.

    Args:
        recipe: The index and the files.
        root: The folder that the files are relative to.
        backend: Holds the index, which is only read.

    Raises:
        InputError: The index or a file is missing, or a line cannot be used.
        ConfigError: The judgments are a test split's.
    """
    files = {"train": root / recipe.qrels}
    if recipe.dev_qrels is not None:
        files["dev"] = root / recipe.dev_qrels
    for path in files.values():
        if path.name.partition(".")[0].lower() == "test":
            raise ConfigError(f"{path} holds a test split, which training never reads: name other judgments")
    return Collection(
        recipe=recipe,
        name=recipe.index,
        place=f"index {recipe.index}",
        corpus={document.doc_id: document for document in whole_documents(backend.scan(recipe.index))},
        queries=read_queries(root / recipe.queries),
        splits=list(files),
        qrels=lambda split: read_qrels(files[split]),
        backend=backend,
        index=recipe.index,
    )
