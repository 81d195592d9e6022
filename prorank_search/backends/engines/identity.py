"""Which engine it is that a client talks to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prorank_search.backends.engines.connection import Client, Engine, EngineName, nodes
from prorank_search.errors import AuthError, ConfigError, EngineError
from prorank_search.settings import Settings

OLDEST = {"opensearch": 2, "elasticsearch": 8}
"""Major versions that were tried, from this one up."""

_CANNOT_SAY = (404, 405)
_NOT_OURS = 406


def connected(name: EngineName, client: Client, settings: Settings) -> Engine:
    """Return the engine behind a client, once it said that it is the one which the client is for.

    Where this user may not ask (`GET /` is refused), the settings are believed.

    Raises:
        ConfigError: Another engine answers, or one that is too old.
    """
    engine = engine_of(name, "", client, settings)
    try:
        found, version = identify(engine.request("GET", "/"))
    except AuthError:
        return engine  # if it is for more than this question, the next request tells
    except EngineError as error:
        if error.status == _NOT_OURS:
            raise wrong_client(name, "a server that does not speak its protocol", nodes(settings)) from error
        if error.status not in _CANNOT_SAY:
            raise
        return engine
    if found != name:
        raise wrong_client(name, f"{_TITLE_OF[found]} {version}", nodes(settings))
    if int(version.partition(".")[0]) < OLDEST[name]:
        raise ConfigError(
            f"{_TITLE_OF[name]} {version} answers at {engine.where}: it has to be {OLDEST[name]}.0 or newer"
        )
    return engine_of(name, version, client, settings)


def identify(root: Any) -> tuple[EngineName, str]:  # noqa: ANN401 (JSON)
    """Return engine and version, as `GET /` tells them.

    Raises:
        ConfigError: It is neither engine.

    Example:
        >>> identify({"version": {"distribution": "opensearch", "number": "2.19.1"}})
        ('opensearch', '2.19.1')
        >>> identify({"version": {"number": "8.19.3"}})
        ('elasticsearch', '8.19.3')
    """
    version = root.get("version") if isinstance(root, Mapping) else None
    if not isinstance(version, Mapping) or not str(version.get("number", ""))[:1].isdigit():
        raise ConfigError(f"what answers is neither OpenSearch nor Elasticsearch: {str(root)[:200]!r}")
    name: EngineName = "opensearch" if version.get("distribution") == "opensearch" else "elasticsearch"
    return name, str(version["number"])


def wrong_client(name: EngineName, found: str, where: Sequence[str]) -> ConfigError:
    """Return the error for a client and a server that do not belong together."""
    other = "elasticsearch" if name == "opensearch" else "opensearch"
    return ConfigError(
        f"the backend is {name!r}, and {', '.join(where)} is {found}: use --backend {other} (or auto, which looks)"
    )


def engine_of(name: EngineName, version: str, client: Client, settings: Settings) -> Engine:
    """Return the engine behind a client; an empty version: nobody asked yet."""
    where = ", ".join(nodes(settings))
    return Engine(name, version, where, client, settings.engine_timeout_s, settings.engine_attempts)


_TITLE_OF = {"opensearch": "OpenSearch", "elasticsearch": "Elasticsearch"}
