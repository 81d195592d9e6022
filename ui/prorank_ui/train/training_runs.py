"""What the folder of a training run says: how far it is, what it measured, what it left. Pure of Streamlit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

from prorank_search import jobs
from prorank_search.jobs import Job
from prorank_search.model_files import CONTRACT_FILE
from prorank_search.storage.whole_files import whole_lines
from prorank_ui.drawing.wording import apart

KIND, GROUPS_KIND, EXPORT_KIND = "train", "groups", "export"
"""Kinds of jobs: a training run, the making of its groups, a checkpoint on the way."""

CHECKPOINT = "checkpoint"
_STAGE_NAMES = {"warmup": "stage 1", "score": "stage 2"}
_LOOKED_BACK = 20

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        stage: What it is doing, in words.
        step: Steps of this stage behind it; 0 where it counts none.
        steps: Steps of the stage in all; 0 where it counts none.
        seconds_left: Of this stage, by the median of the last steps: a run may have been stopped between two of them.
            None: nobody can tell yet.
    """

    stage: str
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None


def measured(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's metrics; a line that is being written is left out."""
    try:
        lines = whole_lines(folder / "metrics.jsonl")
    except OSError:
        return []
    return [json.loads(line) for line in lines]


def progress(folder: Path) -> Progress:
    """Tell how far a run is by its folder; whether it is at work, its job tells."""
    lines = measured(folder)
    if not lines:
        return Progress("getting ready")
    last = lines[-1]
    stage, step, steps = last["stage"], int(last["step"]), _steps(folder).get(last["stage"], 0)
    if stage == "score" and steps and step >= steps:
        return Progress("writing the checkpoint" if checkpoint_of(folder) is None else "done", step, steps)
    recent = [line["time"] for line in lines if line["stage"] == stage][-_LOOKED_BACK:]
    took = [after - before for before, after in pairwise(recent)]
    left = median(took) * (steps - step) if took and steps else None
    return Progress(_STAGE_NAMES.get(stage, stage), step, steps, left)


def rows(title: str, lines: Sequence[Mapping[str, Any]], most: int = 300) -> list[Row]:
    """Return what charts draw of a run: one number a row, means over a few steps where there are many.

    Args:
        title: The run.
        lines: Its metrics.
        most: Points of a line at most.
    """
    series: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for line in lines:
        for measure, value in _numbers(line):
            series.setdefault((line["stage"], measure), []).append((line["step"], value))
    return [
        {"run": title, "stage": stage, "measure": measure, "step": step, "value": value}
        for (stage, measure), points in series.items()
        for step, value in _thinned(points, most)
    ]


def checkpoint_of(folder: Path) -> Path | None:
    """Return the checkpoint in a job's folder; None where there is none yet."""
    found = folder / CHECKPOINT
    return found if (found / CONTRACT_FILE).is_file() else None


def checkpoints(home: Path) -> dict[str, str]:
    """Return the checkpoints of all runs, the newest first: folder to what it is called."""
    made = [job for job in jobs.jobs(home / "jobs") if job.kind in {KIND, EXPORT_KIND}]
    called = apart({job.job_id: f"{job.title} ({short_time(job)})" for job in made})
    return {str(folder): called[job.job_id] for job in made if (folder := checkpoint_of(job.folder))}


def results(checkpoint: Path) -> dict[str, dict[str, float]]:
    """Return a checkpoint's nDCG@10 on dev: collection to `bm25`, `model`, `blend` and `queries`."""
    contract = json.loads((checkpoint / CONTRACT_FILE).read_text(encoding="utf-8"))
    found: dict[str, dict[str, float]] = contract.get("results", {}).get("dev", {}).get("collections", {})
    return found


def held_back_queries(data: Path) -> list[str]:
    """Return the texts of the queries that were judged here and not trained on."""
    files = sorted((data / "held-back").glob("*.queries.jsonl"))
    return [json.loads(line)["text"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def can_be_exported(folder: Path) -> bool:
    """Tell whether a run has saved anything that a checkpoint can be made of."""
    return any((folder / f"{stage}.state.pt").is_file() for stage in _STAGE_NAMES)


def short_time(job: Job) -> str:
    """Return when a job was started, as a list shows it: `11-24 18:05`, in UTC."""
    return job.created[5:16].replace("T", " ")


def _steps(folder: Path) -> dict[str, int]:
    """Return the steps of each stage; more of them may have been asked for than when the run began."""
    try:
        recipe = json.loads((folder / "run.json").read_text(encoding="utf-8"))["recipe"]
    except (OSError, ValueError, KeyError):
        return {}
    return {stage: int(recipe[stage]["steps"]) for stage in _STAGE_NAMES if recipe.get(stage)}


def _numbers(line: Mapping[str, Any]) -> list[tuple[str, float]]:
    own = [(name, float(value)) for name, value in line.items() if name not in {"stage", "step", "time"} and _is(value)]
    probe = [(name, float(value)) for name, value in (line.get("probe") or {}).items()]
    dev = (line.get("dev") or {}).values()
    means = [(f"dev {name}", fmean(row[name] for row in dev)) for name in ("bm25", "model", "blend") if dev]
    return [*own, *probe, *means]


def _is(value: object) -> bool:
    return isinstance(value, int | float)


def _thinned(points: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    width = -(-len(points) // most)
    some = [points[at : at + width] for at in range(0, len(points), width)]
    return [(part[-1][0], round(fmean(value for _, value in part), 6)) for part in some]
