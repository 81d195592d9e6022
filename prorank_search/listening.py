"""An address of this machine that something is served at."""

from __future__ import annotations

import socket

from prorank_search.errors import ConfigError


def listen(host: str, port: int, backlog: int | None = None) -> socket.socket:
    """Return a socket that listens at an address.

    Args:
        host: A name or an address, IPv4 or IPv6.
        port: 0: any that is free.
        backlog: Connections that wait at most; None: the system's number.

    Raises:
        ConfigError: The port is taken or not allowed, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise ConfigError(f"cannot listen at {host!r}, port {port}: {reason}; choose another --port") from error
