"""Which engine answers at an address; the right client for it."""

from __future__ import annotations

from importlib.util import find_spec

from prorank_search.backends.engines.connection import Client, Engine, EngineName
from prorank_search.backends.engines.identity import engine_of, identify
from prorank_search.errors import MissingExtraError
from prorank_search.settings import Settings


def connect(settings: Settings) -> Engine:
    """Connect to the engine that answers at `settings.url`, whichever it is.

    Raises:
        ConfigError: There is no address.
        MissingExtraError: Its client is not installed.
        UnreachableError: Nobody answers.
    """
    from prorank_search import plugins

    name = engine_at(settings)
    plugins.require(_MODULE_OF[name], needed_by=name)
    if name == "opensearch":
        from prorank_search.backends.engines.opensearch import connect as connect_to
    else:
        from prorank_search.backends.engines.elasticsearch import connect as connect_to
    return connect_to(settings)


def engine_at(settings: Settings) -> EngineName:
    """Tell which engine answers at `settings.url`, by `GET /`; with either client.

    Raises:
        ConfigError: There is no address, or what answers is neither engine.
        MissingExtraError: No client is installed.
        UnreachableError: Nobody answers.
    """
    client: Client
    if find_spec("opensearchpy"):
        from prorank_search.backends.engines.opensearch import OpenSearchClient

        client = OpenSearchClient(settings)
        asked_by: EngineName = "opensearch"
    elif find_spec("elasticsearch"):
        from prorank_search.backends.engines.elasticsearch import ElasticsearchClient

        client = ElasticsearchClient(settings)
        asked_by = "elasticsearch"
    else:
        raise MissingExtraError(
            f"the address {settings.url!r} needs an engine's client: pip install 'prorank-search[opensearch]', "
            "or 'prorank-search[elasticsearch]'"
        )
    return identify(engine_of(asked_by, "", client, settings).request("GET", "/"))[0]


_MODULE_OF = {"opensearch": "opensearchpy", "elasticsearch": "elasticsearch"}
