"""From what a command is given to a recipe: a file, a recipe by name, or the folder of a run that was begun."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prorank_search.errors import ConfigError
from prorank_training.recipe import Recipe, read_recipe, recipe_of
from prorank_training.recipe_files import PACKAGED, merge, read_table

RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A recipe, and the run that it is for.

    Attributes:
        recipe: With all changes.
        run: The run's folder; where nobody named one, `runs/RECIPE-HASH`.
    """

    recipe: Recipe
    run: Path


def named(home: Path) -> dict[str, Path]:
    """Return the recipes that have a name: those of this package, then those in `PRORANK_HOME/recipes`, by file name.

    One of the home goes before one of the package.
    """
    return {path.stem: path for folder in (PACKAGED, home / "recipes") for path in sorted(folder.glob("*.toml"))}


def choose(
    given: Path, home: Path, run: Path | None, judgments: Sequence[str] = (), changes: Sequence[str] = ()
) -> Chosen:
    """Return the recipe that is meant.

    Args:
        given: A recipe's file, the name of one, or the folder of a run, whose recipe and folder then count.
        home: Where recipes of one's own lie.
        run: The run's folder, where it was named.
        judgments: Query sets that are taken groups from, beside what the recipe names.
        changes: `KEY=VALUE`, as `--set` takes it.

    Raises:
        ConfigError: There is no such recipe, or it is none.
    """
    table, place = _table(given, home)
    for change in changes:
        merge(table, _change(change))
    if judgments:
        data = table.setdefault("data", {})
        data["judgments"] = [*(data.get("judgments") or []), *({"query_set": name} for name in judgments)]
    recipe = recipe_of(table, place)
    begun = given if given.is_dir() else Path("runs") / f"{given.stem}-{recipe.digest()}"
    return Chosen(recipe, run or begun)


def summary(path: Path) -> dict[str, object]:
    """Return what a list of recipes says of one: what it begins with, its steps, and what its first comment says."""
    text = path.read_text(encoding="utf-8")
    first = text.partition("\n")[0]
    recipe = read_recipe(path)
    return {
        "about": first.removeprefix("#").strip() if first.startswith("#") else "",
        "base": recipe.base,
        "warmup_steps": recipe.warmup.steps if recipe.warmup else 0,
        "steps": recipe.score.steps,
        "groups_a_step": recipe.score.groups_a_step,
        "collections": [row.model_dump(exclude_none=True) for row in recipe.data.collections],
        "path": str(path),
    }


def _table(given: Path, home: Path) -> tuple[dict[str, Any], str]:
    if (given / RUN_FILE).is_file():
        about = json.loads((given / RUN_FILE).read_text(encoding="utf-8"))
        return dict(about["recipe"]), str(given / RUN_FILE)
    if given.is_dir():
        raise ConfigError(f"{given} holds no run that was begun: name a recipe")
    known = named(home)
    if given.suffix != ".toml" and not given.exists() and str(given) not in known:
        raise ConfigError(f"no recipe {str(given)!r}: there is no such file, and known are {', '.join(known)}")
    path = given if given.exists() else known.get(str(given), given)
    return read_table(path), str(path)


def _change(change: str) -> dict[str, Any]:
    """Read `KEY=VALUE`; a value that is no TOML is taken for a text."""
    key, equals, value = change.partition("=")
    if not equals:
        raise ConfigError(f"--set {change!r}: KEY=VALUE is wanted, such as score.steps=200")
    for written in (value, json.dumps(value)):
        try:
            return tomllib.loads(f"{key} = {written}")
        except tomllib.TOMLDecodeError:
            continue
    raise ConfigError(f"--set {change!r}: {key!r} is no key of a recipe")
