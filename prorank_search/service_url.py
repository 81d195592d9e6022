"""The service's address, as an engine will ask it."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from prorank_search.errors import ConfigError
from prorank_search.outbound import check_url


def rerank_url(service: str, path: str) -> str:
    """Return the whole address of a rerank API.

    Args:
        service: What the user gave: a service's address, or that of any rerank API with its path.
        path: The path to take where there is none.

    Raises:
        ConfigError: It is no address, or one that must not be asked.

    Example:
        >>> rerank_url("http://127.0.0.1:8080/", "/v2/rerank")
        'http://127.0.0.1:8080/v2/rerank'
        >>> rerank_url("https://example.com/api/v1/rerank", "/v2/rerank")
        'https://example.com/api/v1/rerank'
    """
    check_url(service, "the service")
    parts = urlsplit(service)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"the service's address has to be scheme, host, port and path alone, got one for {parts.hostname!r}; "
            "its key goes into PRORANK_REMOTE_API_KEY"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or path}"


def pattern_of(url: str) -> str:
    r"""Return the regular expression that this address alone matches, as ml-commons takes them.

    Example:
        >>> pattern_of("http://127.0.0.1:8080/v2/rerank")
        '^http://127\\.0\\.0\\.1:8080/v2/rerank$'
    """
    return f"^{re.escape(url)}$"


def is_private(url: str) -> bool:
    """Tell whether an address is one of a private network; a name that this machine cannot look up is.

    Example:
        >>> is_private("http://10.1.2.3/v2/rerank"), is_private("https://93.184.216.34/v2/rerank")
        (True, False)
    """
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True  # known inside the cluster alone, if anywhere
    return any(not ipaddress.ip_address(str(where[0]).partition("%")[0]).is_global for *_, where in found)
