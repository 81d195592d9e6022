"""Who we are to an engine: the settings' user, API key or certificate, as headers."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from prorank_search.errors import ConfigError
from prorank_search.settings import Settings


def headers_of(settings: Settings) -> dict[str, str]:
    """Return the headers that name the user; none where the settings name nobody.

    Example:
        >>> headers_of(Settings(engine_username="eve", engine_password="apple"))
        {'authorization': 'Basic ZXZlOmFwcGxl'}
    """
    if settings.engine_api_key is not None:
        return {"authorization": f"ApiKey {settings.engine_api_key.get_secret_value()}"}
    if settings.engine_username is not None and settings.engine_password is not None:
        pair = f"{settings.engine_username}:{settings.engine_password.get_secret_value()}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def check(settings: Settings) -> None:
    """See that the settings name one user, all of it, and files that are there.

    Raises:
        ConfigError: They do not.
    """
    if (settings.engine_username is None) != (settings.engine_password is None):
        raise ConfigError("engine_username and engine_password belong together: one of them is missing")
    ways = {
        "engine_api_key": settings.engine_api_key,
        "engine_username": settings.engine_username,
        "engine_aws_region": settings.engine_aws_region,
    }
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} are given: one user at a time, leave out all but one")
    for name, file in _files(settings).items():
        if not Path(file).is_file():
            raise ConfigError(f"engine_{name} = {file!r}: there is no such file")


def certificates(settings: Settings) -> dict[str, Any]:
    """Return the files of the encryption, as both clients call them; none where the settings name none."""
    return dict(_files(settings))


def _files(settings: Settings) -> dict[str, str]:
    files = {
        "ca_certs": settings.engine_ca_certs,
        "client_cert": settings.engine_client_cert,
        "client_key": settings.engine_client_key,
    }
    return {name: str(file) for name, file in files.items() if file is not None}
