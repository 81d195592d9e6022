"""Fetch the servers that the engine tests run on; where one cannot be had its tests say so.

python -m tests.engines.fetch
"""

from __future__ import annotations

import sys

from prorank_search.local import engine
from prorank_search.local.lock import DEFAULT_VERSION
from prorank_search.settings import Settings
from tests.engines import elasticsearch_server


def main() -> None:
    """Fetch OpenSearch, and Elasticsearch where a JDK is."""
    home = Settings().home
    engine.prepare(DEFAULT_VERSION, home, 0, lambda _step, _done: None, with_ml=False)
    if reason := elasticsearch_server.jdk_is_missing():
        sys.stderr.write(f"no Elasticsearch: {reason}\n")
    else:
        elasticsearch_server.prepare(home)


if __name__ == "__main__":
    main()
