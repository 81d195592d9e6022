"""The candidates of a suite's collection: its queries, their judgments, and what the first stage finds for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_search import analysis, beir
from prorank_search.errors import InputError
from prorank_search.evaluation.corpus_index import corpus_index
from prorank_search.evaluation.evaluate import FirstStage, first_stage_of, rankings
from prorank_search.evaluation.judged import own_documents, queries_of, sample
from prorank_search.evaluation.measures import DEPTH
from prorank_search.evaluation.query_set import PERSONS, read_query_set
from prorank_search.evaluation.suite_file import Suite, SuiteCollection
from prorank_search.profiles import Profile, profile_for
from prorank_search.qrels_files import read_qrels
from prorank_search.query_files import read_queries
from prorank_search.search import load_backend
from prorank_search.types import Document, Hit, Qrel, Query, Ranking

if TYPE_CHECKING:
    from prorank_search.settings import Settings

_SAMPLE = 100
"""Documents that the `auto` preset looks at."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What every system of a suite is given of one collection.

    Attributes:
        collection: The collection.
        split: Which judgments.
        qrels: The judgments of the chosen queries.
        rankings: The first stage's answer to each query.
        window_size: First-stage hits that are rescored.
        profile: How the index is searched, and what a model sees of a document.
        seconds: What the first stage took over all queries.
    """

    collection: SuiteCollection
    split: str
    qrels: list[Qrel]
    rankings: list[Ranking]
    window_size: int
    profile: Profile
    seconds: float

    @property
    def name(self) -> str:
        """What the collection is called."""
        return self.collection.name


@dataclass(frozen=True, slots=True)
class Judged:
    """The queries of a collection, read and checked before anything is searched or scored."""

    collection: SuiteCollection
    folder: Path
    split: str
    qrels: list[Qrel]
    queries: list[Query]


def read_judged(suite: Suite, collections: Path, home: Path) -> list[Judged]:
    """Read the queries of every collection, so that a wrong folder or split is told before hours of work.

    Args:
        suite: The suite.
        collections: Folder of the BEIR folders.
        home: Where the judgment store is.

    Raises:
        InputError: A folder, file, split, query set or query is missing, or no query has a relevant document.
    """
    return [_judged(suite, collection, collections, home) for collection in suite.collections]


def find_candidates(suite: Suite, judged: Judged, settings: Settings) -> Candidates:
    """Search for the candidates of one collection.

    Where the suite names no index, the corpus is put into an embedded one under `evaluation` in the home, unless it
    is there already.

    Raises:
        InputError: The index does not exist, or the corpus cannot be read.
        BackendError: The first stage failed.
    """
    profile, find = _first_stage(judged, settings)
    window = suite.window_of(judged.collection)
    own = [system.pick.window_size if system.pick else system.window_size or 0 for system in suite.systems]
    deepest = max([window, *own])
    found = list(rankings(judged.queries, find, max(DEPTH, deepest), own_documents(judged.qrels)))
    return Candidates(
        judged.collection,
        judged.split,
        judged.qrels,
        [_without_texts(ranking, deepest) for ranking, _ in found],
        window,
        profile,
        sum(seconds for _, seconds in found),
    )


def _judged(suite: Suite, collection: SuiteCollection, collections: Path, home: Path) -> Judged:
    if collection.folder is not None:
        return _of_folder(suite, collection, collections / collection.folder)
    if collection.queries is not None and collection.qrels is not None:
        return _of_files(suite, collection, collections / collection.queries, collections / collection.qrels)
    return _of_query_set(suite, collection, home)


def _of_folder(suite: Suite, collection: SuiteCollection, folder: Path) -> Judged:
    split = suite.split_of(collection)
    qrels, queries = _sampled(suite, collection, beir.read_qrels(folder, split), beir.read_queries(folder))
    if not queries:
        raise InputError(f"no query of the split {split!r} of {folder} has a relevant document")
    return Judged(collection, folder, split, qrels, queries)


def _of_files(suite: Suite, collection: SuiteCollection, queries_file: Path, qrels_file: Path) -> Judged:
    qrels, queries = _sampled(suite, collection, read_qrels(qrels_file), read_queries(queries_file))
    if not queries:
        raise InputError(f"no query of {qrels_file} has a relevant document")
    return Judged(collection, qrels_file.parent, qrels_file.name, qrels, queries)


def _of_query_set(suite: Suite, collection: SuiteCollection, home: Path) -> Judged:
    of_set = read_query_set(home, collection.name)
    qrels, queries = _sampled(suite, collection, of_set.qrels, of_set.queries)
    searched = collection.model_copy(update={"index": collection.index or of_set.index})
    return Judged(searched, home, PERSONS, qrels, queries)


def _sampled(
    suite: Suite, collection: SuiteCollection, qrels: Sequence[Qrel], queries: Mapping[str, Query]
) -> tuple[list[Qrel], list[Query]]:
    chosen = sample(qrels, collection.limit_queries or suite.limit_queries, suite.seed)
    return chosen, queries_of(chosen, queries)


def _first_stage(judged: Judged, settings: Settings) -> tuple[Profile, FirstStage]:
    index = judged.collection.index
    if index is not None:
        profile = profile_for(settings, index)
        return profile, first_stage_of(load_backend(settings), index, profile)
    return Profile(), _own_index(judged, settings)


def _own_index(judged: Judged, settings: Settings) -> FirstStage:
    own = {"home": settings.home / "evaluation", "backend": "tantivy", "url": None}
    backend = load_backend(settings.model_copy(update=own))
    corpus, preset = judged.folder, judged.collection.analysis
    if preset == "auto":
        preset = analysis.choose(_texts(corpus))
    return first_stage_of(backend, corpus_index(corpus, preset, backend), Profile())


def _texts(corpus: Path) -> Iterator[str]:
    return (document.text for document in islice(beir.read_corpus(corpus), _SAMPLE))


def _without_texts(ranking: Ranking, window_size: int) -> Ranking:
    """Forget the texts of the tail, which nobody reads: thousands of queries would fill the memory with them."""
    return replace(ranking, hits=ranking.hits[:window_size] + tuple(map(_bare, ranking.hits[window_size:])))


def _bare(hit: Hit) -> Hit:
    return replace(hit, document=Document(hit.document.doc_id, ""))
