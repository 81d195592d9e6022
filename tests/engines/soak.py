"""The long form of what the tests of the ingest do in short: `make soak`. Prints one table.

The ingest is killed 100 times; 10 ingests go through a proxy that spoils a tenth of the requests; the server is killed
10 times. After each ingest the index holds every document once; else an AssertionError says what was lost.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from prorank_search.cli.options import echo_table
from prorank_search.settings import Settings
from tests.engines import kills, server_kills, spoiled_requests
from tests.engines.opensearch_server import run_opensearch


def main(given: argparse.Namespace) -> None:
    """Do all of it, then print the table."""
    rows = []
    with run_opensearch(Settings().home) as server:
        rows.append(_timed("ingest killed", lambda: _of_kills(kills.soak(server.url, given.kills, seed=1))))
        rows.append(_timed("requests spoiled", lambda: _of_faults(spoiled_requests.soak(server.url, given.spoiled))))
    rows.append(_timed("server killed", lambda: _of_server_kills(given.server_kills)))
    echo_table(("what", "how often", "of these", "seconds"), rows)
    sys.stdout.write("Nothing was lost, nothing doubled, every setting restored.\n")


def _timed(what: str, step: Callable[[], tuple[str, str]]) -> Sequence[str]:
    started = time.monotonic()
    often, figures = step()
    return what, often, figures, f"{time.monotonic() - started:,.0f}"


def _of_kills(figures: kills.Figures) -> tuple[str, str]:
    at_random = figures.kills["at random"]
    named = f"{figures.kills.total() - at_random} at {len(figures.kills) - bool(at_random)} named points"
    often = f"{figures.kills.total()} in {figures.ingests} ingests"
    return often, f"{at_random} at random, {named}, {figures.resumed} went on, {figures.missed} came too late"


def _of_faults(faults: Counter[str]) -> tuple[str, str]:
    spoiled = {fault: count for fault, count in sorted(faults.items()) if fault}
    often = f"{sum(spoiled.values()):,} of {faults.total():,}"
    return often, ", ".join(f"{count} {fault}" for fault, count in spoiled.items())


def _of_server_kills(wanted: int) -> tuple[str, str]:
    figures = server_kills.soak(wanted)
    return str(wanted), f"{figures.in_the_middle} in the middle of an ingest, {figures.given_up} ingests started again"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--spoiled", type=int, default=10)
    parser.add_argument("--server-kills", type=int, default=10)
    main(parser.parse_args())
