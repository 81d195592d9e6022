"""The service's own certificate: looked at before it starts, read again on SIGHUP."""

from __future__ import annotations

import ssl
from pathlib import Path

from prorank_search.errors import ConfigError

_OF_ANOTHER = "the key is not the certificate's"
_WRONG = {"KEY_VALUES_MISMATCH": _OF_ANOTHER, "KEY_TYPE_MISMATCH": _OF_ANOTHER}


def context_of(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return what encrypts with a certificate; None where none is given.

    Args:
        cert: PEM file of the certificate, then those between it and its root.
        key: PEM file of its key, without a password.

    Raises:
        ConfigError: One is given without the other, or they cannot be used.
    """
    if cert is None or key is None:
        if cert is not None or key is not None:
            raise ConfigError("tls_cert and tls_key belong together: one of them is missing")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load(context, cert, key)
    return context


def load(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    """Let new connections use a certificate; those that are open keep theirs.

    Raises:
        ConfigError: It cannot be used; nothing has changed then.
    """
    for name, path in (("tls_cert", cert), ("tls_key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{name} = {str(path)!r} cannot be read: {error.strerror}") from error
    _try(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), cert, key)
    _try(context, cert, key)


def _try(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    try:
        context.load_cert_chain(cert, key, _no_password)
    except ssl.SSLError as error:
        unknown = f"they are not a certificate and its key in PEM form ({error.reason or error})"
        raise ConfigError(_refused(cert, key, _WRONG.get(error.reason, unknown))) from error
    except ValueError as error:
        raise ConfigError(_refused(cert, key, str(error))) from error


def _refused(cert: Path, key: Path, why: str) -> str:
    return f"tls_cert = {str(cert)!r} and tls_key = {str(key)!r}: {why}"


def _no_password() -> str:
    """Answer in place of a person, whom OpenSSL would ask at the terminal."""
    raise ValueError("the key has a password; write one without: openssl pkey -in KEY -out NEW")
