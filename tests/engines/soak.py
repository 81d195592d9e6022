"""The long form of what the tests of the ingest do in short: `make soak`.

100 kills of the ingest, 10 ingests through a proxy that spoils a tenth of the requests, 10 kills of the server.
"""

from __future__ import annotations

import sys

from prorank_search.settings import Settings
from tests.engines import kills, server_kills, spoiled_requests
from tests.engines.opensearch_server import run_opensearch


def main() -> None:
    """Do all of it; an AssertionError says what was lost."""
    with run_opensearch(Settings().home) as server:
        sys.stdout.write(f"{kills.soak(server.url, kills=100, seed=1)}\n")
        spoiled_requests.main(server.url, times=10)
    server_kills.main(kills=10)


if __name__ == "__main__":
    main()
