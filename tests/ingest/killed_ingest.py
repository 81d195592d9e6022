"""Ingest in small batches and kill this process with SIGKILL at a named point: `SOURCE INDEX HOME FLAG POINT NTH`.

FLAG is `upsert` or `replace`. POINT is a step of `prorank_ingest.run.Step`, `record` (while the NTH record is read), or
`never`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prorank_ingest import run
from prorank_ingest.progress import Record
from prorank_ingest.selection import open_source
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.protocols import ReaderOptions


def main(source: str, index: str, home: str, flag: str, point: str, nth: str) -> None:
    passed: list[str] = []

    def pass_point(name: str) -> None:
        passed.append(name)
        if name == point and passed.count(name) == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            pass_point("record")
            yield record

    run.BATCH_RECORDS = 100
    job = run.Job(source, index, Path(home), replace=flag == "replace")
    backend = TantivyBackend(Path(home) / "indexes")
    run.ingest(job, open_source(source, ReaderOptions()), backend, watch=watch, on_step=pass_point)


if __name__ == "__main__":
    main(*sys.argv[1:])
