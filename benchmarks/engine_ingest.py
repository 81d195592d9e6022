"""Documents a second of `prorank ingest` into a real engine, beside a hand-tuned `parallel_bulk`; and its peak memory.

    python benchmarks/engine_ingest.py speed URL corpus.jsonl.gz --repeats 3
    python benchmarks/engine_ingest.py memory URL --documents 20000 1000000

`speed`: both read the same .gz from disk, in turn, each in a process of its own, into a new index: `prorank ingest`
with checkpoint and dead letters, `parallel_bulk` with 2 threads and 1,000 documents a chunk, `refresh_interval` -1 and
no replicas. The time runs from before the index is made to the refresh after the last document. The first round warms
the server up and does not count; the ratio is the median of the rounds' own ratios, since both runs of a round meet the
same weather. Beside it stand seconds of processor time, of the process and of the server, which suffer less from it.
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
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

INDEX = "ingest-benchmark"
WAYS = ("prorank", "by-hand")
SECONDS = ("server_cpu_s", "own_cpu_s", "wall_s")
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

    def load() -> None:
        client.indices.create(index=INDEX, body=body)
        deque(parallel_bulk(client, actions(), thread_count=2, chunk_size=1000), maxlen=0)
        client.indices.refresh(index=INDEX)

    figures = _measured(load, url)
    documents = client.count(index=INDEX)["count"]
    client.indices.delete(index=INDEX)
    return {"documents": documents, **figures}


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
        reader = open_source(corpus, job.options)
        figures = _measured(lambda: ingest(job, reader, backend), url)
        documents = backend.count(INDEX)
        backend.delete(INDEX)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"documents": documents, **figures, "peak_mb": round(peak_mb, 1)}


def _measured(load: Callable[[], object], url: str) -> dict[str, float]:
    """Return the seconds that a load takes: by the clock, and of the processors, here and on the server."""
    before = _server_cpu_s(url), time.process_time(), time.perf_counter()
    load()
    after = _server_cpu_s(url), time.process_time(), time.perf_counter()
    return dict(zip(SECONDS, (later - earlier for earlier, later in zip(before, after, strict=True)), strict=True))


def _server_cpu_s(url: str) -> float:
    time.sleep(1.1)  # the server looks at its processor time once a second
    with urllib.request.urlopen(f"{url}/_nodes/stats/process") as answer:  # noqa: S310 (the address is the caller's)
        nodes = json.load(answer)["nodes"].values()
    return float(sum(node["process"]["cpu"]["total_in_millis"] for node in nodes)) / 1000


def speed(url: str, corpus: str, repeats: int) -> None:
    """Print docs/s of both, in turn, their ratio, and where the seconds went."""
    rounds = [_round(url, corpus, turned=bool(number % 2)) for number in range(1 + repeats)][1:]
    for way in WAYS:
        found = [each[way] for each in rounds]
        rates = [each["documents"] / each["wall_s"] for each in found]
        seconds = ", ".join(f"{name} {statistics.median(each[name] for each in found):.2f}" for name in SECONDS)
        print(
            f"{way:8} {statistics.median(rates):8,.0f} docs/s (median of {[round(rate) for rate in rates]}; {seconds})"
        )
    ratios = [each["by-hand"]["wall_s"] / each["prorank"]["wall_s"] for each in rounds]
    print(f"ratio    {statistics.median(ratios):.2f} (median of {[round(ratio, 2) for ratio in ratios]})")


def _round(url: str, corpus: str, *, turned: bool) -> dict[str, dict[str, float]]:
    return {way: _in_a_process(way, url, corpus) for way in sorted(WAYS, reverse=turned)}


def memory(url: str, counts: list[int]) -> None:
    """Print the peak memory at each number of generated documents."""
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            corpus = _generate(Path(folder) / "generated.jsonl", count)
            figures = _in_a_process("prorank", url, str(corpus))
            rate = figures["documents"] / figures["wall_s"]
            print(f"{count:9,} documents: {rate:,.0f} docs/s, peak {figures['peak_mb']} MB", flush=True)


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
