"""A recipe's file: TOML that may begin with another recipe (`extends`) and say only what differs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from prorank_search.errors import ConfigError
from prorank_search.storage.toml_files import read_toml

PACKAGED = Path(str(files("prorank_training"))) / "recipes"
"""The recipes of this package."""

_EXTENDS = "extends"
_NOTHING = "none"


def read_table(path: Path) -> dict[str, Any]:
    """Return what a recipe's file says, with what it takes from others.

    Raises:
        ConfigError: A file cannot be read, is not TOML, extends what is no recipe, or extends itself.
    """
    chain = [path]
    tables = [read_toml(path, "recipe")]
    while (name := tables[-1].pop(_EXTENDS, None)) is not None:
        chain.append(_extended(name, chain[-1]))
        if chain[-1] in chain[:-1]:
            raise ConfigError(f"{path} extends itself: {' > '.join(one.stem for one in chain)}")
        tables.append(read_toml(chain[-1], "recipe"))
    whole = tables.pop()
    while tables:
        merge(whole, tables.pop())
    return whole


def merge(table: dict[str, Any], change: Mapping[str, Any]) -> None:
    """Put changes into a table, of tables inside it key by key; the word `none` takes away what stands there.

    Example:
        >>> table = {"seed": 1, "score": {"steps": 5, "negatives": 4}, "warmup": {}}
        >>> merge(table, {"score": {"steps": 9}, "warmup": "none"})
        >>> table
        {'seed': 1, 'score': {'steps': 9, 'negatives': 4}}
    """
    for key, value in change.items():
        if value == _NOTHING:
            table.pop(key, None)
        elif isinstance(value, dict) and isinstance(table.get(key), dict):
            merge(table[key], value)
        else:
            table[key] = value


def _extended(name: object, by: Path) -> Path:
    """Return the file of the recipe that another one extends: it lies beside that, or in this package."""
    folders = (by.parent, PACKAGED)
    named = (folder / f"{name}.toml" for folder in folders)
    found = next((file for file in named if file.is_file() and file != by), None)
    if found is None:
        known = ", ".join(sorted({file.stem for folder in folders for file in folder.glob("*.toml")}))
        raise ConfigError(f"{by} extends {name!r}, which is no recipe's name; known are {known}")
    return found
