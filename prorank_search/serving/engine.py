"""Which engine stands behind the gateway."""

from __future__ import annotations

from prorank_search.serving.embedded_upstream import EmbeddedUpstream
from prorank_search.serving.http_upstream import HttpUpstream
from prorank_search.serving.upstream import Upstream
from prorank_search.settings import Settings

_EMBEDDED = "tantivy"
_SERVERS = ("opensearch", "elasticsearch")


def open_upstream(settings: Settings) -> Upstream | None:
    """Return the engine that the settings name, a server or the embedded indexes; None: a plugin, which is neither.

    Raises:
        ConfigError: Its address, user or certificates cannot be used.
    """
    if settings.backend in _SERVERS or (settings.backend == "auto" and settings.url is not None):
        return HttpUpstream(settings)
    return EmbeddedUpstream(settings) if settings.backend in ("auto", _EMBEDDED) else None
