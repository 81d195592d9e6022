"""Documents a second of `prorank ingest` into a real engine, beside a hand-tuned `parallel_bulk`; and its peak memory.

    python benchmarks/engine_ingest.py speed URL corpus.jsonl.gz --repeats 3
    python benchmarks/engine_ingest.py memory URL --documents 20000 1000000

`speed`: both read the same .gz from disk, in turn, each in a process of its own, into a new index: `prorank ingest`
with checkpoint and dead letters, `parallel_bulk` with 2 threads and 1,000 documents a chunk, `refresh_interval` -1 and
no replicas. The time runs from before the index is made to the refresh after the last document.
`memory`: the peak resident memory of a `prorank ingest` of generated documents.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INDEX = "ingest-benchmark"
WORDS = [f"word{number}" for number in range(20_000)]


def by_hand(url: str, corpus: str) -> dict[str, float]:
    """Load the corpus as somebody would who knows opensearch-py well."""
    from collections import deque

    from opensearchpy import OpenSearch
    from opensearchpy.helpers import parallel_bulk

    from prorank_search.backends.engines.analysis import index_body, plan

    client = OpenSearch([url], pool_maxsize=16)
    client.indices.delete(index=INDEX, ignore=[404])
    body = index_body(plan("english", smartcn=False))
    body["settings"]["index"] |= {"refresh_interval": "-1", "number_of_replicas": 0}

    def actions() -> Iterator[dict[str, Any]]:
        with gzip.open(corpus, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                doc_id = record.pop("_id")
                yield {"_index": INDEX, "_id": doc_id, "_source": {"doc_id": doc_id, **_known(record)}}

    started = time.perf_counter()
    client.indices.create(index=INDEX, body=body)
    deque(parallel_bulk(client, actions(), thread_count=2, chunk_size=1000), maxlen=0)
    client.indices.refresh(index=INDEX)
    seconds = time.perf_counter() - started
    documents = client.count(index=INDEX)["count"]
    client.indices.delete(index=INDEX)
    return {"documents": documents, "docs_per_s": documents / seconds}


def _known(record: dict[str, Any]) -> dict[str, Any]:
    return {key: record[key] for key in ("title", "text") if record.get(key)}


def by_prorank(url: str, corpus: str) -> dict[str, float]:
    """Load the corpus by `prorank ingest`'s own function."""
    from prorank_ingest.run import Job, ingest
    from prorank_ingest.selection import open_source
    from prorank_search.backends.engines.detection import connect
    from prorank_search.backends.engines.index import EngineIndexes
    from prorank_search.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        backend = EngineIndexes(connect(Settings(url=url)), Path(home))
        job = Job(corpus, INDEX, Path(home), analysis="english", engine=url)
        report = ingest(job, open_source(corpus, job.options), backend)
        backend.delete(INDEX)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"documents": report.documents, "docs_per_s": report.docs_per_s, "peak_mb": round(peak_mb, 1)}


def speed(url: str, corpus: str, repeats: int) -> None:
    """Print docs/s of both, in turn, and their ratio."""
    found: dict[str, list[float]] = {"prorank": [], "by-hand": []}
    for number in range(repeats):
        for way in sorted(found, reverse=bool(number % 2)):
            found[way].append(_in_a_process(way, url, corpus)["docs_per_s"])
    for way, rates in found.items():
        runs = f"median of {[round(rate) for rate in rates]}, best {max(rates):,.0f}"
        print(f"{way:8} {statistics.median(rates):8,.0f} docs/s ({runs})")
    print(f"ratio    {statistics.median(found['prorank']) / statistics.median(found['by-hand']):.2f}")


def memory(url: str, counts: list[int]) -> None:
    """Print the peak memory at each number of generated documents."""
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            corpus = _generate(Path(folder) / "generated.jsonl", count)
            print(f"{count:9,} documents: {_in_a_process('prorank', url, str(corpus))}", flush=True)


def _in_a_process(way: str, url: str, corpus: str) -> dict[str, float]:
    command = [sys.executable, __file__, way, url, corpus]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def _generate(path: Path, count: int) -> Path:
    drawn = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            text = " ".join(drawn.choices(WORDS, k=60))
            file.write(json.dumps({"_id": f"doc-{number}", "title": f"Document {number}", "text": text}) + "\n")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "memory", "prorank", "by-hand"])
    parser.add_argument("url")
    parser.add_argument("corpus", nargs="?", default="")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--documents", type=int, nargs="+", default=[20_000, 1_000_000])
    given = parser.parse_args()
    if given.what == "speed":
        speed(given.url, given.corpus, given.repeats)
    elif given.what == "memory":
        memory(given.url, given.documents)
    else:
        print(json.dumps((by_prorank if given.what == "prorank" else by_hand)(given.url, given.corpus)))
