"""Who asks, and what they may do: what a trusted proxy says of them, or whose machine it is. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

from prorank_search.errors import AuthError, ConfigError
from prorank_search.listening import name_in
from prorank_search.settings import Settings

Role = Literal["viewer", "judge", "operator"]
"""Each may what the one before may: see Compare, Evaluate and Status; judge and measure; train, ingest, delete."""

ROLES: tuple[Role, ...] = get_args(Role)
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser's connection.

    Attributes:
        peer: Address of whoever opened it: the browser's machine, or a proxy.
        headers: What it sent, by name in lower case; several values where it sent a header several times.
    """

    peer: str
    headers: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks.

    Attributes:
        role: What they may do.
        name: What a trusted proxy calls them; empty: nobody says.
    """

    role: Role
    name: str = ""

    def may(self, role: Role) -> bool:
        """Tell whether they have a role, or one above it."""
        return ROLES.index(self.role) >= ROLES.index(role)


def person_of(visitor: Visitor, settings: Settings) -> Person:
    """Return who visits. The headers of an address that is no trusted proxy are never looked at.

    Raises:
        AuthError: They come past the proxy, or it does not say who they are, or says it twice; or they would be an
            operator by a name that is not this machine's.
        ConfigError: Headers are named, but no proxy that may send them.

    Example:
        >>> person_of(Visitor("127.0.0.1", {"host": ["localhost:8501"], "x-role": ["viewer"]}), Settings())
        Person(role='operator', name='')
    """
    if settings.user_header is None and settings.role_header is None:
        return _unnamed(_default(settings, "operator" if _is_here(visitor.peer) else "viewer"), visitor, settings)
    if not settings.trusted_proxies:
        raise ConfigError(
            "user_header or role_header is set, but nobody may send it: set trusted_proxies to the proxy's address"
        )
    if not _is_trusted(visitor.peer, settings.trusted_proxies):
        if settings.default_role != "auto":
            return _unnamed(settings.default_role, visitor, settings)
        raise AuthError(f"{visitor.peer} is none of the trusted_proxies: open this page through the proxy")
    name = "" if settings.user_header is None else _said(visitor, settings.user_header)[:LONGEST_NAME]
    if settings.user_header is not None and not name:
        raise AuthError(
            f"the proxy does not say who you are (header {settings.user_header!r}): open the page through the proxy"
        )
    if settings.role_header is None:
        return Person(_default(settings, "judge"), name)
    role = _said(visitor, settings.role_header).lower() or ROLES[0]
    if not _is_role(role):
        raise AuthError(f"the proxy gives you the role {role[:40]!r}, which is none: {', '.join(ROLES)}")
    return Person(role, name)


def require(person: Person, role: Role, deed: str) -> None:
    """See that somebody may do something.

    Args:
        person: Who wants to.
        role: The least role that may.
        deed: What, as the beginning of a sentence: "training a model".

    Raises:
        AuthError: They may not.

    Example:
        >>> require(Person("viewer"), "judge", "judging")
        Traceback (most recent call last):
        prorank_search.errors.AuthError: judging needs the role judge, and yours is viewer: ask your administrator
    """
    if not person.may(role):
        raise AuthError(f"{deed} needs the role {role}, and yours is {person.role}: ask your administrator")


def _unnamed(role: Role, visitor: Visitor, settings: Settings) -> Person:
    """Return whom no proxy names.

    Raises:
        AuthError: An operator, by a name that is not this machine's: another site's page can lead such a name here and
            then ask through the browser of somebody who is one.
    """
    host = name_in(_said(visitor, "host"))
    if (
        role == "operator"
        and host != "localhost"
        and not _is_here(host)
        and host not in map(name_in, settings.ui_hosts)
    ):
        raise AuthError(
            f"operators open this page by localhost or 127.0.0.1, not as {host[:LONGEST_NAME]!r}: "
            "where that is a name of this page, add it to ui_hosts"
        )
    return Person(role)


def _default(settings: Settings, automatic: Role) -> Role:
    return automatic if settings.default_role == "auto" else settings.default_role


def _said(visitor: Visitor, header: str) -> str:
    """Return what a header says.

    Raises:
        AuthError: It came several times: the browser sent it, and the proxy added its own.
    """
    values = visitor.headers.get(header.lower(), ())
    if len(values) > 1:
        raise AuthError(f"the header {header!r} came {len(values)} times: the proxy has to set it, not to add to it")
    return values[0].strip() if values else ""


def _is_role(role: str) -> TypeGuard[Role]:
    return role in ROLES


def _is_here(peer: str) -> bool:
    """Tell whether an address is this machine's own; what is no address is not."""
    address = _address(peer)
    return address is not None and address.is_loopback


def _is_trusted(peer: str, networks: Sequence[str]) -> bool:
    address = _address(peer)
    return address is not None and any(address in ipaddress.ip_network(network) for network in networks)


def _address(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
