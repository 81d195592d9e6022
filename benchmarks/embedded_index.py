"""Measure the embedded index: quality on whole test splits, ingest speed, peak memory, search time.

    python benchmarks/embedded_index.py DATA [--only scifact:english cosqa:code ...]

DATA holds BEIR folders. Each collection is ingested into a fresh home and searched with its whole test split; nDCG has
linear gain, averaged over every judged query with a relevant document (finding nothing counts 0). The peak memory of
an ingest is that of a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

from prorank_search.backends.tantivy import TantivyBackend, open_backend
from prorank_search.beir import read_corpus, read_qrels, read_queries
from prorank_search.settings import Settings
from prorank_search.types import Qrel, Query, ScoredDoc, SearchRequest

COLLECTIONS = (
    "scifact:english",
    "cranfield:english",
    "npl:english",
    "arguana:english",
    "medquad:english",
    "squad:english",
    "cosqa:code",
    "pydoc:code",
    "cmrc_sent:chinese",
    "drcd_sent:chinese",
    "jaquad:chinese",
)
TOP_K = 100
SHOWN = 10
TIMED_QUERIES = 500


def ingest(home: Path, folder: Path, analysis: str) -> tuple[int, float, float]:
    """Fill an index; return the documents, the seconds and this process's peak memory in MB."""
    started = time.perf_counter()
    with open_backend(Settings(home=home)).writer(folder.name, analysis=analysis, replace=True) as writer:
        documents = writer.add(read_corpus(folder))
        writer.publish()
    seconds = time.perf_counter() - started
    return documents, seconds, peak_mb()


def peak_mb() -> float:
    """Return this process's peak memory; unlike `getrusage`, Linux starts this figure afresh for a new program."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def search(backend: TantivyBackend, index: str, queries: list[Query]) -> list[ScoredDoc]:
    """Return the run of all queries; a query that equals a document's id drops that document."""
    run: list[ScoredDoc] = []
    for query in queries:
        hits = backend.search(SearchRequest(index, query, TOP_K + 1)).hits
        kept = [hit for hit in hits if hit.document.doc_id != query.query_id][:TOP_K]
        run += [ScoredDoc(query.query_id, hit.document.doc_id, hit.score) for hit in kept]
    return run


def measure(qrels: list[Qrel], run: list[ScoredDoc]) -> list[float]:
    """Return nDCG@10 and recall@100, averaged over the queries that have a relevant document."""
    from ir_measures import R, iter_calc, nDCG

    judged = {qrel.query_id for qrel in qrels if qrel.relevance > 0}
    measures = (nDCG @ 10, R @ TOP_K)
    values = [value for value in iter_calc(measures, qrels, run) if value.query_id in judged]
    return [sum(each.value for each in values if each.measure == measure) / len(judged) for measure in measures]


def median_ms(backend: TantivyBackend, index: str, queries: list[Query], *, top_k: int) -> float:
    """Return the median milliseconds of one search, with the highlights of the hits that are shown."""
    took = []
    for query in queries:
        started = time.perf_counter()
        request = SearchRequest(index, query, top_k)
        hits = backend.search(request).hits
        backend.highlights(request, [hit.document for hit in hits[:SHOWN]])
        took.append(1e3 * (time.perf_counter() - started))
    return statistics.median(took)


def report(folder: Path, analysis: str) -> str:
    """Return one line of the table."""
    with tempfile.TemporaryDirectory() as home:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            documents, seconds, peak = pool.apply(ingest, (Path(home), folder, analysis))
        backend = open_backend(Settings(home=Path(home)))
        qrels = read_qrels(folder, "test")
        texts = read_queries(folder)
        queries = [texts[query_id] for query_id in dict.fromkeys(qrel.query_id for qrel in qrels)]
        ndcg, recall = measure(qrels, search(backend, folder.name, queries))
        timed = queries[:TIMED_QUERIES]
        shown = median_ms(backend, folder.name, timed, top_k=SHOWN)
        window = median_ms(backend, folder.name, timed, top_k=TOP_K)
        megabytes = backend.indexes()[0].size_bytes / 1e6
    return (
        f"{folder.name:10} {analysis:9} {len(queries):6} {ndcg:8.4f} {recall:6.4f} {documents:7} "
        f"{documents / seconds:7.0f} {peak:8.0f} {megabytes:6.1f} {shown:9.2f} {window:10.2f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", default=COLLECTIONS, metavar="NAME:ANALYSIS")
    arguments = parser.parse_args()
    print("collection analysis queries  nDCG@10  R@100    docs  docs/s  peak MB     MB  p50 ms 10  p50 ms 100")
    for each in arguments.only:
        name, _, analysis = each.partition(":")
        print(report(arguments.data / name, analysis), flush=True)


if __name__ == "__main__":
    main()
