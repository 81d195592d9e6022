"""The engines as a backend."""

from __future__ import annotations

from prorank_search.backends.engines.connection import Engine


class EngineBackend:
    """An engine as a backend; see `prorank_search.protocols.SearchBackend`. Sends nothing but reads."""

    def __init__(self, engine: Engine) -> None:
        """Search the indexes of a connected engine."""
        self.engine = engine
