"""Ingest into an engine and kill this process at a named point: `URL SOURCE INDEX HOME FLAG POINT NTH WHEN`.

FLAG is `upsert`, `replace` or `passages` (an upsert of passages). POINT is one of `tests.engines.rough_client.POINTS`,
a step of `prorank_ingest.run.Step`, or `never`; WHEN is `before` or `after`, for requests. Says "ready" before it
begins.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path

from prorank_ingest import run
from prorank_ingest.passages import PassageSize
from prorank_ingest.selection import open_source
from prorank_search.backends.engines import writer
from prorank_search.backends.engines.bulk import ChunkSize
from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.protocols import ReaderOptions
from prorank_search.settings import Settings
from tests.engines.rough_client import POINTS, RoughClient

BATCH_RECORDS = 500
CHUNK = ChunkSize(documents=100)
LOWERED_FROM = 200
SIZE = PassageSize(tokens=4, overlap=0)


def main(url: str, source: str, index: str, home: str, flag: str, *kill: str) -> None:
    point, nth, when = kill
    passed: list[str] = []

    def pass_point(step: str) -> None:
        passed.append(step)
        if step == point and passed.count(step) == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    run.BATCH_RECORDS = BATCH_RECORDS
    writer.EngineWriter.largest = CHUNK
    writer.LOWERED_FROM = LOWERED_FROM
    engine = connect(Settings(url=url, home=Path(home), engine_timeout_s=20))
    rough = RoughClient(engine.client, point if point in POINTS else "", int(nth), when == "after")
    backend = EngineIndexes(dataclasses.replace(engine, client=rough), Path(home))
    size = SIZE if flag == "passages" else None
    replace = flag == "replace"
    job = run.Job(source, index, Path(home), analysis="standard", replace=replace, engine=url, passages=size)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    report = run.ingest(job, open_source(source, ReaderOptions()), backend, on_step=pass_point)
    sys.stdout.write(f"{report.documents} {report.duplicates} {report.bad_records} {report.resumed_from}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
