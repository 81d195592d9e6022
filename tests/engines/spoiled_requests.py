"""Ingest through a proxy that spoils a tenth of the requests, and see that nothing is lost or doubled.

python -m tests.engines.spoiled_requests URL --times 10
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from prorank_ingest import run
from prorank_ingest.passages import PassageSize
from prorank_ingest.selection import open_source
from prorank_search.backends.engines import writer
from prorank_search.backends.engines.bulk import ChunkSize
from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.settings import Settings
from tests.engines.killed_ingest import SIZE
from tests.engines.kills import check_stored, write_corpus
from tests.engines.rough_proxy import rough_proxy

DOCUMENTS = 4000
DOUBLED = 500
SHARE = 0.1
CHUNK = ChunkSize(documents=40)


def spoiled_ingest(
    url: str, index: str, folder: Path, *, seed: int, replace: bool, size: PassageSize | None = None
) -> Counter[str]:
    """Ingest through the proxy, whole documents or passages; return what it did to the requests."""
    texts = {str(number): f"text {number} {seed}." for number in range(DOCUMENTS)}
    source = str(write_corpus(folder / f"{seed}.jsonl", texts, doubled=DOUBLED, bad=3))
    with rough_proxy(url, share=0, seed=seed) as proxy:
        backend = EngineIndexes(connect(Settings(url=proxy.url, engine_timeout_s=2, engine_attempts=6)), folder)
        proxy.share = SHARE
        job = run.Job(source, index, folder, analysis="standard", replace=replace, passages=size)
        with pytest.MonkeyPatch.context() as small:
            small.setattr(writer.EngineWriter, "largest", CHUNK)
            small.setattr(writer, "LOWERED_FROM", DOCUMENTS // 10)
            small.setattr(run, "BATCH_RECORDS", 400)
            report = run.ingest(job, open_source(source, job.options), backend)
        faults = proxy.faults
    assert (report.documents, report.duplicates, report.bad_records) == (DOCUMENTS, DOUBLED, 3)
    time.sleep(5)  # what was stalled arrives now, and must not change anything
    direct = EngineIndexes(connect(Settings(url=url)), folder)
    direct.engine.request("POST", f"/{index}/_refresh")
    check_stored(direct, index, texts, size)
    return faults


def soak(url: str, times: int) -> Counter[str]:
    """Do it again and again: a first load, then upserts and replacements in turn; return what became of requests."""
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="prorank-spoiled-") as folder:
        for seed in range(times):
            started = time.monotonic()
            size = SIZE if (seed + 1) // 2 % 2 == 0 else None  # changes with each replacement
            total += spoiled_ingest(url, "spoiled-requests", Path(folder), seed=seed, replace=seed % 2 == 1, size=size)
            sys.stderr.write(f"{seed}: {time.monotonic() - started:.1f} s, so far {dict(total)}\n")
        EngineIndexes(connect(Settings(url=url)), Path(folder)).delete("spoiled-requests")
    return total


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--times", type=int, default=10)
    given = parser.parse_args()
    sys.stdout.write(f"{dict(soak(given.url, given.times))}\n")
