"""The run folder: what a training run is, how far it is, and what it measured."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from prorank_search.errors import ConfigError
from prorank_training.recipe import Recipe

_PACKAGES = ("prorank-search", "torch", "transformers", "tokenizers", "numpy")


class RunFolder:
    """A folder with `run.json` (provenance), `metrics.jsonl`, and one `state.pt` a stage.

    Args:
        path: The folder; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def begin(self, recipe: Recipe) -> None:
        """Write down what the run is, or check that the folder holds the same run.

        Raises:
            ConfigError: The folder holds a run of another recipe.
        """
        file = self.path / "run.json"
        if file.exists():
            known = json.loads(file.read_text())["recipe_hash"]
            if known != recipe.digest():
                raise ConfigError(
                    f"{self.path} holds a run of another recipe ({known}, this one is {recipe.digest()}): "
                    "choose another folder with --run"
                )
            return
        about = {
            "recipe_hash": recipe.digest(),
            "recipe": recipe.model_dump(),
            "git_revision": _git_revision(),
            "packages": {package: version(package) for package in _PACKAGES},
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        write_atomically(file, json.dumps(about, indent=1).encode())

    def log(self, stage: str, metrics: Mapping[str, Any]) -> None:
        """Append one line of metrics."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"stage": stage, "time": round(time.time(), 1), **metrics}) + "\n")

    def save_state(self, stage: str, state: Mapping[str, Any]) -> None:
        """Save what a resume needs, replacing the last one in one step."""
        file = self.path / f"{stage}.state.pt"
        partial = file.with_suffix(".partial")
        torch.save(dict(state), partial)
        partial.replace(file)

    def load_state(self, stage: str) -> dict[str, Any] | None:
        """Return what `save_state` saved last, or None."""
        file = self.path / f"{stage}.state.pt"
        if not file.exists():
            return None
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        return state


def write_atomically(file: Path, content: bytes) -> None:
    """Write a file so that a reader, or a run after a kill, sees the old content or the new, never a part."""
    partial = file.with_name(file.name + ".partial")
    partial.write_bytes(content)
    partial.replace(file)


def _git_revision() -> str | None:
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 (git is looked up on the PATH)
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return answer.stdout.strip() or None
