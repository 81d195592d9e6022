"""What one version of a server is made of: every jar with its sha256, in a TOML file beside this module.

tests/engines/write_locks.py writes the files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prorank_search.errors import ConfigError

DEFAULT_VERSION = "2.19.1"

_FOLDER = Path(__file__).parent / "locks"
_PREFIX = "opensearch-"


@dataclass(frozen=True)
class Module:
    """A part of the server that lies in a folder of its own.

    Attributes:
        plugin_class: The Java class that the server loads.
        jars: The sha256 of each jar, by `group:artifact:version`.
    """

    plugin_class: str
    jars: Mapping[str, str]


@dataclass(frozen=True)
class Lock:
    """One version of a server.

    Attributes:
        version: As the server itself says it.
        lib: The server's own jars: the sha256 by `group:artifact:version`.
        modules: By name.
        plugins: The archives that `--with-ml` adds: the sha256 by `group:artifact:version:zip`.
        plugin_jars: Jars that a plugin needs beside its archive's, by the plugin's name.
    """

    version: str
    lib: Mapping[str, str]
    modules: Mapping[str, Module]
    plugins: Mapping[str, str] = field(default_factory=dict)
    plugin_jars: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def major(self) -> int:
        """The version's first number."""
        return int(self.version.partition(".")[0])

    def pinned(self, *, with_ml: bool) -> dict[str, str]:
        """Return every artifact's sha256."""
        parts = [self.lib, *(module.jars for module in self.modules.values())]
        if with_ml:
            parts += [self.plugins, *self.plugin_jars.values()]
        return {coordinate: sha256 for part in parts for coordinate, sha256 in part.items()}


def known_versions() -> list[str]:
    """Return the versions of OpenSearch that can be started.

    Example:
        >>> DEFAULT_VERSION in known_versions()
        True
    """
    return sorted(path.stem.removeprefix(_PREFIX) for path in _FOLDER.glob(f"{_PREFIX}*.toml"))


def lock_of(version: str) -> Lock:
    """Return what a version of OpenSearch is made of.

    Raises:
        ConfigError: The version is not known here.
    """
    if version not in known_versions():
        raise ConfigError(f"OpenSearch {version!r} cannot be started here; known are {', '.join(known_versions())}")
    return read_lock(_FOLDER / f"{_PREFIX}{version}.toml")


def read_lock(path: Path) -> Lock:
    """Read a file that tests/engines/write_locks.py wrote."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    modules = {name: Module(module["class"], module["jars"]) for name, module in table.pop("modules").items()}
    return Lock(modules=modules, **table)
