"""The client of Elasticsearch: elasticsearch-py 8, which talks to servers of major version 8 and 9."""

from __future__ import annotations

import logging

import elasticsearch
from elastic_transport import ConnectionTimeout, SerializationError, TlsError
from elasticsearch import ApiError, UnsupportedProductError

from prorank_search.backends.engines.connection import BAD_GATEWAY, Engine, Reply, Request, nodes
from prorank_search.backends.engines.credentials import certificates, check, headers_of
from prorank_search.backends.engines.faults import unreachable
from prorank_search.backends.engines.identity import connected, wrong_client
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.errors import ConfigError
from prorank_search.settings import Settings

for _name in ("elasticsearch", "elastic_transport"):
    logging.getLogger(_name).addHandler(logging.NullHandler())  # our errors say what their warnings do


def open_backend(settings: Settings) -> EngineIndexes:
    """Return the Elasticsearch that answers at `settings.url`.

    Raises:
        ConfigError: There is no address, or another engine answers there.
        UnreachableError: Nobody answers.
    """
    return EngineIndexes(connect(settings), settings.home)


def connect(settings: Settings) -> Engine:
    """Connect to Elasticsearch; see `open_backend`."""
    return connected("elasticsearch", ElasticsearchClient(settings), settings)


class ElasticsearchClient:
    """Sends requests by elasticsearch-py; see `connection.Client`."""

    def __init__(self, settings: Settings) -> None:
        """Take address and credentials of the settings; sends nothing yet."""
        check(settings)
        if settings.engine_aws_region is not None:
            raise ConfigError("engine_aws_region: AWS runs OpenSearch, so use --backend opensearch with it")
        self._where = nodes(settings)
        self._client = elasticsearch.Elasticsearch(
            self._where,
            max_retries=0,
            headers=headers_of(settings),
            connections_per_node=16,
            **certificates(settings),
        )

    def send(self, request: Request) -> Reply:
        """Send the request once, to one of the nodes."""
        headers = {"accept": "application/json"}
        if request.body is not None:
            headers["content-type"] = request.content_type
        try:
            answer = self._client.options(request_timeout=request.timeout_s).perform_request(
                request.method, request.path, params=request.params, body=request.body, headers=headers
            )
        except UnsupportedProductError as error:
            raise wrong_client("elasticsearch", "a server that is not Elasticsearch", self._where) from error
        except ApiError as error:
            return Reply(error.meta.status, error.body)
        except SerializationError as error:
            return Reply(BAD_GATEWAY, str(error)[:500])  # the answer is no JSON: it is not the engine's
        except ConnectionTimeout as error:
            raise unreachable(self._where, str(error), timed_out_s=request.timeout_s) from error
        except elasticsearch.TransportError as error:
            raise unreachable(self._where, str(error), tls=isinstance(error, TlsError)) from error
        return Reply(200, answer.body)
