"""An address of this machine that something is served at, and the name by which a request calls it."""

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


def name_in(host: str) -> str:
    """Return the name or address in a Host header, in lower case and without its port.

    Example:
        >>> name_in("LocalHost:8501"), name_in("[::1]:8501")
        ('localhost', '::1')
    """
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].lower()
