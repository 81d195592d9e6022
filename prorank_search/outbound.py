"""The one place that says which addresses may be asked: any of the settings', but never a cloud's metadata service.

That service hands out the machine's own credentials to whoever asks from it. An address is looked at before the first
request to it is sent; a host's name is looked up, since anybody's name may point there.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from prorank_search.errors import ConfigError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_METADATA_ADDRESSES = frozenset(
    map(
        ipaddress.ip_address,
        (
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure's wire server
            "192.0.0.192",  # Oracle, the old one
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",  # AWS, credentials of pods
            "fd20:ce::254",  # Google
        ),
    )
)
"""Those outside the link-local networks, all of which are refused: most clouds have theirs at 169.254.169.254."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses whose last four bytes are an IPv4 address."""


def check_url(url: str, what: str) -> None:
    """See that requests may be sent to an address.

    A name that is not known to this machine is let through: whoever sends the request is told so then.

    Args:
        url: The whole address, `http` or `https`.
        what: Whose it is, for the message: "the address of the rescorer remote".

    Raises:
        ConfigError: It is none, or it leads to a cloud's metadata service.

    Example:
        >>> check_url("http://127.0.0.1:8080/v1/rerank", "the remote rescorer")
        >>> check_url("http://169.254.169.254/latest", "the remote rescorer")
        Traceback (most recent call last):
        prorank_search.errors.ConfigError: refused to ask '169.254.169.254' for the remote rescorer: 169.254.169.254 \
belongs to a cloud's metadata service; name another address
    """
    host = _host(url, what)
    refused = host if host.lower().rstrip(".") in _METADATA_NAMES else _metadata_address(host)
    if refused is not None:
        raise ConfigError(
            f"refused to ask {host!r} for {what}: {refused} belongs to a cloud's metadata service; name another address"
        )


def _host(url: str, what: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"no address for {what}: {error}; write one such as http://HOST:PORT") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"no address for {what}: it has to begin with http:// or https:// and name a host")
    return host


def _metadata_address(host: str) -> str | None:
    """Return the address of a metadata service that a host has; None where it has none."""
    return next((str(address) for address in _addresses(host) if _is_metadata(address)), None)


def _addresses(host: str) -> Iterator[_Address]:
    """Yield a host's addresses: itself where it is one, in whatever way it is written (2852039166 is one too)."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_, where in found:
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        yield address
        if isinstance(address, ipaddress.IPv6Address):
            yield from _inside(address)


def _inside(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that an IPv6 address stands for."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_metadata(address: _Address) -> bool:
    return address.is_link_local or address in _METADATA_ADDRESSES
