"""Fetch the servers that the engine tests run on.

`python -m tests.engines.fetch` fetches what `make test` needs, with `--all` what `make test-engines` needs.
"""

from __future__ import annotations

import sys

from prorank_search.local import engine
from prorank_search.local.lock import DEFAULT_VERSION, known_versions
from prorank_search.settings import Settings
from tests.engines import elasticsearch_server, secured_server

ALL = [(version, with_ml) for version in known_versions() for with_ml in (False, True)]


def main() -> None:
    """Fetch OpenSearch and Elasticsearch."""
    home = Settings().home
    everything = "--all" in sys.argv
    for version, with_ml in ALL if everything else [(DEFAULT_VERSION, False)]:
        engine.prepare(version, home, 0, lambda _step, _done: None, with_ml=with_ml)
    if everything:
        secured_server.fetch_plugin(home)
    for version in elasticsearch_server.known_versions() if everything else [elasticsearch_server.DEFAULT_VERSION]:
        elasticsearch_server.prepare(home, version)


if __name__ == "__main__":
    main()
