"""An OpenSearch of the tests' own, started as `prorank engine` does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from prorank_search.local import engine, node
from prorank_search.local.lock import DEFAULT_VERSION
from tests.engines.servers import QUICK_START, UP_TIMEOUT_S, Server, missing, open_folder


@contextmanager
def run_opensearch(
    home: Path, *, version: str = DEFAULT_VERSION, with_ml: bool = False, settings: Sequence[str] = ()
) -> Iterator[Server]:
    """Run a server on a free port with an empty data folder; it is gone afterwards.

    Args:
        home: The PRORANK_HOME that it was fetched into.
        version: Which one.
        with_ml: With the plugins.
        settings: More lines of opensearch.yml.
    """
    if not engine.is_prepared(version, home, with_ml=with_ml):
        plugins = " --with-ml" if with_ml else ""
        missing(f"OpenSearch is not here: prorank engine fetch opensearch --version {version}{plugins}")
    with open_folder() as folder:
        prepared = engine.prepare(version, home, node.free_port(), lambda _step, _done: None, with_ml=with_ml)
        own = replace(prepared, folder=folder, settings=settings, java_options=QUICK_START)
        process = node.start(own)
        try:
            node.wait_until_up(process.poll, own.port, own.log, UP_TIMEOUT_S)
            yield Server(own.url, version, process.pid, own.log, own.data)
        finally:
            process.kill()
            process.wait()
