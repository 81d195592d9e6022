"""The client of OpenSearch: opensearch-py."""

from __future__ import annotations

import logging
from typing import Any

import opensearchpy
from opensearchpy.exceptions import ConnectionTimeout, SerializationError, SSLError

from prorank_search.backends.engines.connection import BAD_GATEWAY, Engine, Reply, Request, nodes
from prorank_search.backends.engines.credentials import certificates, check, headers_of
from prorank_search.backends.engines.faults import unreachable
from prorank_search.backends.engines.identity import connected
from prorank_search.backends.engines.index import EngineIndexes
from prorank_search.errors import ConfigError
from prorank_search.settings import Settings

logging.getLogger("opensearch").addHandler(logging.NullHandler())  # our errors say what its warnings do


def open_backend(settings: Settings) -> EngineIndexes:
    """Return the OpenSearch that answers at `settings.url`.

    Raises:
        ConfigError: There is no address, or another engine answers there.
        UnreachableError: Nobody answers.
    """
    return EngineIndexes(connect(settings), settings.home)


def connect(settings: Settings) -> Engine:
    """Connect to OpenSearch; see `open_backend`."""
    return connected("opensearch", OpenSearchClient(settings), settings)


class OpenSearchClient:
    """Sends requests by opensearch-py; see `connection.Client`."""

    def __init__(self, settings: Settings) -> None:
        """Take address and credentials of the settings; sends nothing yet."""
        check(settings)
        self._where = nodes(settings)
        self._client = opensearchpy.OpenSearch(
            self._where,
            max_retries=0,
            headers=headers_of(settings),
            pool_maxsize=16,
            **certificates(settings),
            **_aws(settings),
        )

    def send(self, request: Request) -> Reply:
        """Send the request once, to one of the nodes."""
        try:
            body = self._client.transport.perform_request(
                request.method,
                request.path,
                params=dict(request.params),
                body=request.body,
                timeout=request.timeout_s,
                headers={"content-type": request.content_type},
            )
        except SerializationError as error:
            return Reply(BAD_GATEWAY, str(error.args[0])[:500])  # the answer is no JSON: it is not the engine's
        except ConnectionTimeout as error:
            raise unreachable(self._where, str(error.info), timed_out_s=request.timeout_s) from error
        except opensearchpy.ConnectionError as error:
            raise unreachable(self._where, str(error.info), tls=isinstance(error, SSLError)) from error
        except opensearchpy.TransportError as error:
            return Reply(int(error.status_code), error.info or error.error)
        return Reply(200, body)


def _aws(settings: Settings) -> dict[str, Any]:
    if settings.engine_aws_region is None:
        return {}
    import botocore.session

    credentials = botocore.session.Session().get_credentials()
    if credentials is None:
        raise ConfigError(
            f"engine_aws_region = {settings.engine_aws_region!r}, and there are no AWS credentials: set AWS_PROFILE, "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them"
        )
    signer = opensearchpy.Urllib3AWSV4SignerAuth(credentials, settings.engine_aws_region, settings.engine_aws_service)
    return {"http_auth": signer}
