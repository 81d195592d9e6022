"""Plain requests to a server, without the clients that the project uses."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def asked(url: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 (JSON)
    """Return the JSON that a server answers to a GET, or to a POST of a body."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    if body is None:
        connection.request("GET", path)
    else:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    with connection.getresponse() as response:
        return json.loads(response.read())
