"""Rescoring of a TREC run: the documents of the run are looked up in a corpus, the order is `rescore`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prorank_search.errors import InputError
from prorank_search.evaluation.trec_files import Run, run_of
from prorank_search.protocols import Rescorer
from prorank_search.rescore import RescoreOptions, rescore
from prorank_search.types import Document, Hit, Query, Ranking

_SHOWN = 5


def documents_of(run: Run, corpus: Iterable[Document], window_size: int) -> dict[str, Document]:
    """Pick the documents that a rescorer is to read out of a corpus, which is read once and never held.

    Args:
        run: The run.
        corpus: All documents.
        window_size: Hits of each query that are to be rescored.

    Raises:
        InputError: The corpus lacks some of them.
    """
    wanted = {scored.doc_id for docs in run.values() for scored in docs[:window_size]}
    found = {document.doc_id: document for document in corpus if document.doc_id in wanted}
    missing = sorted(wanted - found.keys())
    if missing:
        raise InputError(
            f"{len(missing)} of the {len(wanted)} documents to rescore are not in the corpus, such as "
            f"{', '.join(missing[:_SHOWN])}: does the run belong to this corpus?"
        )
    return found


def rescore_run(
    run: Run,
    queries: Mapping[str, Query],
    documents: Mapping[str, Document],
    rescorer: Rescorer,
    options: RescoreOptions,
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Rescore each query's documents.

    Args:
        run: The run; what lies beyond the window keeps its order.
        queries: Texts by `query_id`.
        documents: See `documents_of`.
        rescorer: The second stage.
        options: Window, blend and the rest.
        progress: Told how many queries are done.

    Raises:
        InputError: A query of the run has no text.
        RescorerError: The rescorer failed and `options.on_failure` is "error".
    """
    missing = [query_id for query_id in run if query_id not in queries]
    if missing:
        raise InputError(f"{len(missing)} of {len(run)} queries have no text, such as {', '.join(missing[:_SHOWN])}")
    rescored: Run = {}
    for number, (query_id, docs) in enumerate(run.items(), start=1):
        hits = tuple(Hit(documents.get(doc_id) or Document(doc_id, ""), score) for _, doc_id, score in docs)
        rescored[query_id] = run_of(query_id, rescore(Ranking(queries[query_id], hits), rescorer, options)[0])
        progress(number)
    return rescored
