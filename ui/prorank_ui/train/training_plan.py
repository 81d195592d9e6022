"""What a person chose on Train, and the command that does it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from prorank_ui.evaluate.evaluating import COLLECTIONS

_PASSES = 3
"""How often the steps that are offered see each group."""

_UNKNOWN = {"analysis": "standard", "language": "und", "groups": 5000}
"""How a collection is read that the recipe does not name."""


@dataclass(frozen=True, slots=True)
class RecipeInfo:
    """A recipe, as `prorank train recipes --json` lists it.

    Attributes:
        name: What the commands call it.
        about: What its first line says.
        base: The model that it begins with.
        warmup_steps: Steps of stage 1; 0: it has none.
        steps: Steps of stage 2.
        groups_a_step: Groups that a step of stage 2 takes.
        collections: What it takes from BEIR folders: their tables.
        path: Its file.
    """

    name: str
    about: str
    base: str
    warmup_steps: int
    steps: int
    groups_a_step: int
    collections: Sequence[Mapping[str, object]]
    path: str


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is to be trained.

    Attributes:
        recipe: Name of the recipe.
        base: The model to begin with.
        query_sets: Query sets, with how many judgments each has now.
        collections: Folders in `PRORANK_HOME/collections`.
        mistakes_of: The rescorer whose mistakes come first, `RESCORER:MODEL`; empty: BM25's.
    """

    recipe: str
    base: str
    query_sets: Mapping[str, int] = field(default_factory=dict)
    collections: Sequence[str] = ()
    mistakes_of: str = ""

    @property
    def title(self) -> str:
        """What lists call it.

        Example:
            >>> TrainingPlan("judgments", "runs/7/checkpoint", {"handbook": 90}, ["squad"]).title
            'handbook, squad · from checkpoint'
        """
        return f"{', '.join([*self.query_sets, *self.collections])} · from {Path(self.base).name}"


def about(plan: TrainingPlan) -> dict[str, object]:
    """Return a plan as a job keeps it."""
    return asdict(plan) | {"collections": list(plan.collections), "query_sets": dict(plan.query_sets)}


def data_command(plan: TrainingPlan, recipe: RecipeInfo, home: Path) -> list[str]:
    """Return the arguments of `prorank` that make a plan's groups in a job's folder."""
    return ["train", "data", *_arguments(plan, recipe, home), "--run", "{folder}"]


def train_command(
    plan: TrainingPlan, recipe: RecipeInfo, home: Path, *, data: Path, steps: int, warmup: bool
) -> list[str]:
    """Return the arguments of `prorank` that train on groups, to be given again to go on.

    Args:
        plan: What is trained.
        recipe: Its recipe.
        home: The installation's home.
        data: Where the groups lie.
        steps: Of stage 2.
        warmup: Whether stage 1 comes first.
    """
    changes = [
        "--set",
        f"score.steps={steps}",
        *(["--set", "warmup=none"] if not warmup and recipe.warmup_steps else []),
    ]
    return ["train", "all", *_arguments(plan, recipe, home), *changes, "--data", str(data), "--run", "{folder}"]


def export_command(run: Path, data: Path) -> list[str]:
    """Return the arguments of `prorank` that make a checkpoint of what a run has trained so far."""
    return ["train", "export", str(run), "--data", str(data), "--out", "{folder}/checkpoint"]


def sensible_steps(recipe: RecipeInfo, groups: int) -> int:
    """Return steps that see each group a few times, and no more than the recipe wants.

    Example:
        >>> recipe = RecipeInfo("judgments", "", "prorank-smollm2-135m", 0, 300, 4, [], "")
        >>> sensible_steps(recipe, 100), sensible_steps(recipe, 10_000), sensible_steps(recipe, 2)
        (75, 300, 10)
    """
    return min(recipe.steps, max(10, -(-_PASSES * groups // recipe.groups_a_step)))


def _arguments(plan: TrainingPlan, recipe: RecipeInfo, home: Path) -> list[str]:
    named = {str(row["folder"]): row for row in recipe.collections}
    rows = [dict(named.get(folder, {"folder": folder} | _UNKNOWN)) for folder in plan.collections]
    changes = [f"base={_toml(plan.base)}"]
    if list(plan.collections) != list(named):
        changes += [f"data.collections={_toml(rows)}", "teacher=none"]
    judgments = [{"query_set": name} | _mistakes(plan) for name in plan.query_sets]
    if judgments:
        changes.append(f"data.judgments={_toml(judgments)}")
    options = [option for change in changes for option in ("--set", change)]
    return [plan.recipe, "--collections", str(home / COLLECTIONS), *options]


def _mistakes(plan: TrainingPlan) -> dict[str, str]:
    return {"mistakes_of": plan.mistakes_of} if plan.mistakes_of else {}


def _toml(value: object) -> str:
    r"""Write texts, whole numbers, lists and tables of them in TOML.

    Example:
        >>> _toml([{"folder": 'a "b"', "groups": 3}])
        '[{folder = "a \\"b\\"", groups = 3}]'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
