"""Kill the server in the middle of an ingest, start it again, and see that the ingest ends as if nothing had happened.

python -m tests.engines.server_kills --kills 10
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from prorank_ingest import run
from prorank_ingest.selection import open_source
from prorank_search.backends.engines.detection import connect
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.errors import BackendError
from prorank_search.local import engine, node
from prorank_search.local.lock import DEFAULT_VERSION
from prorank_search.settings import Settings
from tests.engines.kills import check_stored, write_corpus
from tests.engines.servers import QUICK_START, UP_TIMEOUT_S, open_folder

DOCUMENTS = 40_000
INDEX = "server-kills"


def ingest(backend: EngineIndexes, source: Path, *, replaced: bool) -> None:
    """Ingest a corpus."""
    job = run.Job(str(source), INDEX, source.parent, analysis="standard", replace=replaced)
    run.ingest(job, open_source(job.source, job.options), backend)


class Figures(NamedTuple):
    """How it went.

    Attributes:
        in_the_middle: Kills in the middle of an ingest.
        given_up: Ingests that did not wait for the server to come back, and went on when they were started again.
    """

    in_the_middle: int = 0
    given_up: int = 0


def soak(kills: int, documents: int = DOCUMENTS) -> Figures:
    """Ingest so many documents again and again until the server was killed so many times."""
    moments = random.Random(1)
    in_the_middle = given_up = 0
    with open_folder() as place, tempfile.TemporaryDirectory(prefix="prorank-server-kills-") as folder:
        server = Server(place)
        backend = EngineIndexes(connect(Settings(url=server.url, engine_timeout_s=10)), Path(folder))
        try:
            with ThreadPoolExecutor(1) as pool:
                for number in range(kills):
                    texts = {str(each): f"text {each} {number} " + "word " * 50 for each in range(documents)}
                    source = write_corpus(Path(folder) / f"{number}.jsonl", texts)
                    started = time.monotonic()
                    ingested = pool.submit(ingest, backend, source, replaced=number % 2 == 1)
                    time.sleep(moments.uniform(0.3, 3.0))
                    in_the_middle += not ingested.done()
                    server.restart()
                    try:
                        ingested.result()
                    except BackendError:  # the machine has so much to do that a start takes minutes
                        given_up += 1
                        ingest(backend, source, replaced=number % 2 == 1)
                    check_stored(backend, INDEX, texts, None)
                    took_s = time.monotonic() - started
                    figures = Figures(in_the_middle, given_up)
                    sys.stderr.write(f"{number}: {took_s:.1f} s, so far {figures}\n")
        finally:
            server.process.kill()
            server.process.wait()
    return Figures(in_the_middle, given_up)


class Server:
    """A server that is killed and started again with the data that it had."""

    def __init__(self, place: Path) -> None:
        home = Settings().home
        prepared = engine.prepare(DEFAULT_VERSION, home, node.free_port(), lambda _step, _done: None, with_ml=False)
        self._node = replace(prepared, folder=place, java_options=QUICK_START)
        self.url = self._node.url
        self._start()

    def restart(self) -> None:
        """Kill it, and wait until it is up again."""
        self.process.kill()
        self.process.wait()
        self._start()

    def _start(self) -> None:
        self.process = node.start(self._node)
        node.wait_until_up(self.process.poll, self._node.port, self._node.log, UP_TIMEOUT_S)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    sys.stdout.write(f"{soak(parser.parse_args().kills)}\n")
