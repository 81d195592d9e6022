"""API keys: made, listed, revoked, and looked at by the service.

A file of their names and hashes lies in PRORANK_HOME. A secret is 256 random bits, so its plain SHA-256 tells nobody
anything: there is no dictionary to try. A slow hash, as passwords need it, would only make each request slow.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from prorank_search.errors import AuthError, ConfigError, InputError
from prorank_search.storage.whole_files import alone_with

FILE_NAME = "keys.json"
_PREFIX = "prorank_"
"""How a secret begins, so that scanners of repositories and people know one when they see it."""

_BYTES = 32
_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

_LOG = logging.getLogger(__name__)

Role = Literal["caller", "admin"]
_ROLES: tuple[Role, ...] = ("caller", "admin")


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without its secret.

    Attributes:
        name: What logs call it.
        sha256: Of its secret.
        created: When, in UTC, as ISO 8601.
        expires: When it ends; None: never.
        role: What it opens: `caller` all that only answers, `admin` what changes how the service answers, too.
    """

    name: str
    sha256: str
    created: str
    expires: str | None = None
    role: Role = "caller"

    @property
    def expired(self) -> bool:
        """Whether it has ended."""
        return self.expires is not None and datetime.now(UTC) >= datetime.fromisoformat(self.expires)


def read(home: Path) -> tuple[Key, ...]:
    """Return the keys; none where nobody made one.

    Raises:
        ConfigError: Their file cannot be read, or others may write into it.
    """
    path = home / FILE_NAME
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the keys in {path} cannot be read: {error}") from error
    if mode & _OTHERS_MAY_WRITE:
        raise ConfigError(f"others may write into {path}, and so make keys: chmod 600 {path}")
    try:
        return tuple(_key(**row) for row in json.loads(text)["keys"])
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{path} is not a file of keys: move it away, and make them anew with `prorank keys create`"
        ) from error


def create(home: Path, name: str, expires_days: int | None = None, role: Role = "caller") -> tuple[Key, str]:
    """Make a key and return it with its secret, which is kept nowhere.

    Args:
        home: PRORANK_HOME.
        name: What logs call it: letters, digits, points, lines.
        expires_days: Days after which it ends; None: never.
        role: What it opens.

    Raises:
        InputError: The name cannot be used, or is taken.
        ConfigError: The file of keys cannot be read.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name[:80]!r} cannot name a key: up to 64 letters, digits, and . _ - between them")
    now = datetime.now(UTC).replace(microsecond=0)
    secret = _PREFIX + secrets.token_urlsafe(_BYTES)
    expires = None if expires_days is None else (now + timedelta(days=expires_days)).isoformat()
    key = Key(name, _hash(secret), now.isoformat(), expires, role)
    with alone_with(home / FILE_NAME):
        keys = read(home)
        if name in {known.name for known in keys}:
            raise InputError(f"there is a key {name!r} already: revoke it first, or take another name")
        _write(home, (*keys, key))
    return key, secret


def role_of(word: str) -> Role:
    """Return the role that a word names.

    Raises:
        ConfigError: It names none.

    Example:
        >>> role_of("admin")
        'admin'
    """
    for role in _ROLES:
        if role == word:
            return role
    raise ConfigError(f"--role {word[:80]!r}: it has to be {' or '.join(_ROLES)}")


def revoke(home: Path, name: str) -> Key:
    """Take a key out; the service refuses it from the next request on.

    The file stays, though it may be empty: a service that asked for keys never stops asking because the last is gone.

    Raises:
        InputError: There is no such key.
        ConfigError: The file of keys cannot be read.
    """
    with alone_with(home / FILE_NAME):
        keys = read(home)
        revoked = next((key for key in keys if key.name == name), None)
        if revoked is None:
            known = ", ".join(key.name for key in keys) or "none"
            raise InputError(f"there is no key {name[:80]!r}; known are: {known}")
        _write(home, [key for key in keys if key.name != name])
    return revoked


class KeyRing:
    """The keys as they are now: a file that changed is read again before the next request is let in.

    Args:
        home: PRORANK_HOME.

    Raises:
        ConfigError: The file of keys cannot be read.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen = _state(home)
        self._keys = read(home)
        self._ever = self._seen is not None

    @property
    def exist(self) -> bool:
        """Whether somebody ever made keys here: from then on they are asked for, were all of them revoked."""
        self._look()
        return self._ever

    def usable(self) -> bool:
        """Tell whether there is a key that would be let in."""
        self._look()
        return not all(key.expired for key in self._keys)

    def check(self, secret: str) -> Key:
        """Return a secret's key. Takes as long for a wrong one as for a right one.

        Raises:
            AuthError: It is nobody's, or its key has expired.
        """
        self._look()
        given = _hash(secret)
        matching = [key for key in self._keys if hmac.compare_digest(key.sha256, given)]
        if not matching:
            raise AuthError("this key is not known here: `prorank keys create NAME` makes one")
        if matching[0].expired:
            raise AuthError(f"the key {matching[0].name!r} has expired: `prorank keys create NAME` makes another")
        return matching[0]

    def _look(self) -> None:
        now = _state(self._home)
        if now == self._seen:
            return
        self._seen = now
        self._ever = self._ever or now is not None
        try:
            self._keys = read(self._home)
        except ConfigError as error:
            _LOG.error("%s; the previous keys stay in use", error)
            return
        _LOG.info("keys were read again: %s", ", ".join(key.name for key in self._keys) or "none")


def _state(home: Path) -> tuple[int, int, int] | None:
    """Return what changes with the file; None where there is none."""
    try:
        found = (home / FILE_NAME).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _key(name: str, sha256: str, created: str, expires: str | None = None, role: Role = "caller") -> Key:
    """Return a key as it was written; one of a time without roles is a caller's."""
    if role not in _ROLES:
        raise ValueError(role)
    if expires is not None and datetime.fromisoformat(expires).tzinfo is None:
        raise ValueError(expires)
    return Key(str(name), str(sha256), str(created), expires, role)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _write(home: Path, keys: Sequence[Key]) -> None:
    """Put a new file in the old one's place in one step, with mode 0600 from its first byte on."""
    text = json.dumps({"keys": [asdict(key) for key in keys]}, indent=2)
    with tempfile.NamedTemporaryFile("w", dir=home, prefix=f".{FILE_NAME}.", delete=False, encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(home / FILE_NAME)
