"""The run folder: what a training run is, how far it is, and what it measured."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from prorank_search.errors import ConfigError, InputError
from prorank_search.evaluation.provenance import code_revision
from prorank_search.storage.file_lock import hold
from prorank_search.storage.whole_files import whole_lines, write_whole
from prorank_training import workers
from prorank_training.recipe import Recipe

Stage = Literal["warmup", "score"]

_STAGES: tuple[Stage, ...] = ("warmup", "score")
"""In the order in which they are run."""

_PACKAGES = ("prorank-search", "torch", "transformers", "tokenizers", "numpy")


class RunFolder:
    """A folder with `run.json` (provenance), `metrics.jsonl`, and one `STAGE.state.pt` a stage.

    Where several processes train together, the leader alone writes: for the others, what writes does nothing.

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
        if not workers.leads():
            return
        file = self.path / "run.json"
        if file.exists():
            known = self.about()["recipe_hash"]
            if known != recipe.digest():
                raise ConfigError(
                    f"{self.path} holds a run of another recipe ({known}, this one is {recipe.digest()}): "
                    "choose another folder with --run"
                )
            return
        about = {
            "recipe_hash": recipe.digest(),
            "recipe": recipe.model_dump(),
            "git_revision": code_revision(),
            "packages": {package: version(package) for package in _PACKAGES},
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        write_whole(file, json.dumps(about, indent=1))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other trainings out of the folder while the body runs, or until this process ends.

        Raises:
            ConfigError: One is in it.
        """
        if not workers.leads():
            yield
            return
        try:
            lock = hold(self.path / ".lock", wait_s=0)
        except BlockingIOError as error:
            raise ConfigError(
                f"another process trains in {self.path}: wait until it ends, or choose another folder with --run"
            ) from error
        with lock:
            yield

    def note_recipe(self, recipe: Recipe) -> None:
        """Write down what the run goes on with: how long, and in how much memory, may change."""
        if workers.leads():
            write_whole(self.path / "run.json", json.dumps(self.about() | {"recipe": recipe.model_dump()}, indent=1))

    def note_teacher(self, teacher: Mapping[str, Any] | None) -> None:
        """Write down which teacher's scores the run learns from; None: from none."""
        if workers.leads():
            write_whole(self.path / "run.json", json.dumps({**self.about(), "teacher": teacher}, indent=1))

    def about(self) -> dict[str, Any]:
        """Return what was written down of the run."""
        about: dict[str, Any] = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        return about

    def log(self, stage: str, metrics: Mapping[str, Any]) -> None:
        """Append one line of metrics."""
        if not workers.leads():
            return
        with self._metrics_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"stage": stage, "time": round(time.time(), 1), **metrics}) + "\n")

    def metrics(self, stage: str) -> list[dict[str, Any]]:
        """Return a stage's metrics, in the order in which they were logged."""
        return [line for line in self._metric_lines() if line["stage"] == stage]

    def forget_after(self, stage: str, step: int) -> None:
        """Drop a stage's metrics of later steps: a run that goes on from this step will log them again."""
        if not workers.leads():
            return
        lines = [line for line in self._metric_lines() if line["stage"] != stage or line["step"] <= step]
        write_whole(self._metrics_file, "".join(json.dumps(line) + "\n" for line in lines))

    def save_state(self, stage: str, state: Mapping[str, Any]) -> None:
        """Save what a resume needs, replacing the last one in one step.

        Raises:
            ConfigError: It cannot be written; the last one is still there.
        """
        if not workers.leads():
            return
        file = self._state_file(stage)
        partial = file.with_suffix(".partial")
        try:
            torch.save(dict(state), partial)
            partial.replace(file)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk by a RuntimeError
            partial.unlink(missing_ok=True)
            raise ConfigError(
                f"the state of the run cannot be written into {self.path}: {error}; the last one is kept: make room "
                "and give the same command again"
            ) from error

    def load_state(self, stage: str) -> dict[str, Any] | None:
        """Return what `save_state` saved last, read from disk as it is looked at; None where nothing is."""
        return self._load(stage) if self._state_file(stage).exists() else None

    def trained_weights(self, stage: str) -> tuple[int, dict[str, Tensor]]:
        """Return how many steps a stage has behind it, and its fp32 weights, read from disk as they are looked at.

        Raises:
            InputError: The stage has saved nothing yet.
        """
        if not self._state_file(stage).exists():
            raise InputError(f"{self.path} has no {stage}.state.pt: run `prorank train {stage}` first")
        state = self._load(stage)
        return int(state["step"]), state["masters"]

    def last_stage(self) -> Stage:
        """Return the last stage that has saved anything.

        Raises:
            InputError: None has.
        """
        begun = [stage for stage in _STAGES if self._state_file(stage).exists()]
        if not begun:
            raise InputError(f"{self.path} has no trained weights: run `prorank train score` first")
        return begun[-1]

    @property
    def _metrics_file(self) -> Path:
        return self.path / "metrics.jsonl"

    def _metric_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in whole_lines(self._metrics_file)]

    def _state_file(self, stage: str) -> Path:
        return self.path / f"{stage}.state.pt"

    def _load(self, stage: str) -> dict[str, Any]:
        state: dict[str, Any] = torch.load(self._state_file(stage), map_location="cpu", weights_only=True, mmap=True)
        return state
