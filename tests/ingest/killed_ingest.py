"""Ingest in small batches and kill this process with SIGKILL at a named point: `SOURCE INDEX HOME FLAG POINT NTH`.

FLAG is `upsert`, `replace` or `passages` (an upsert of passages). POINT is a step of `prorank_ingest.run.Step`,
`document` (while the NTH one is added), or `never`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prorank_ingest import run
from prorank_ingest.passages import PassageSize
from prorank_ingest.selection import open_source
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.protocols import ReaderOptions
from prorank_search.types import Document


def main(source: str, index: str, home: str, flag: str, point: str, nth: str) -> None:
    passed: list[str] = []

    def pass_point(name: str) -> None:
        passed.append(name)
        if name == point and passed.count(name) == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            pass_point("document")
            yield document

    run.BATCH_RECORDS = 100
    size = PassageSize(tokens=4, overlap=0) if flag == "passages" else None
    job = run.Job(source, index, Path(home), replace=flag == "replace", passages=size)
    backend = TantivyBackend(Path(home) / "indexes")
    run.ingest(job, open_source(source, ReaderOptions()), backend, watch=watch, on_step=pass_point)


if __name__ == "__main__":
    main(*sys.argv[1:])
