"""The embedded first stage: BM25 by tantivy in a folder of this machine, no server."""

from __future__ import annotations

from prorank_search.backends.tantivy.backend import TantivyBackend
from prorank_search.settings import Settings

__all__ = ["TantivyBackend", "open_backend"]


def open_backend(settings: Settings) -> TantivyBackend:
    """Return the embedded indexes under `settings.home`."""
    return TantivyBackend(settings.home / "indexes")
