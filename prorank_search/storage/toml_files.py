"""TOML files that people write: what is wrong with one is told in a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from prorank_search.errors import ConfigError


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: The file.
        kind: What it is, for messages: `recipe`.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the {kind} {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
