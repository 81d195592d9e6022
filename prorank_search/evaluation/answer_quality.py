"""What was measured of a model's answers themselves, read from files that training wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prorank_search.errors import InputError

COLUMNS = {
    "mass": 'P("0") + P("1")',
    "compliance": "format compliance",
    "greedy_compliance": "greedy compliance",
    "balanced_accuracy": "balanced accuracy",
    "auc": "AUC",
}
"""What a file may hold, and how a table heads it."""

_TABLE = "probe"


def read_answer_quality(path: Path, step: int | None = None) -> dict[str, float]:
    """Read what was measured: an object of JSON, or the lines of a run's metrics, of which those with a probe count.

    Args:
        path: The file.
        step: Which step's line; None: the last.

    Returns:
        The columns that the file has.

    Raises:
        InputError: The file is missing, is not JSON, or has none of the columns (of that step).

    """
    found = [measured for line in _objects(path) if step in {None, line.get("step")} and (measured := _columns(line))]
    if not found:
        of_step = "" if step is None else f" of step {step}"
        raise InputError(f"{path} holds nothing{of_step} that a table of answers shows: {', '.join(COLUMNS)}")
    return found[-1]


def _columns(line: Mapping[str, Any]) -> dict[str, float]:
    table = line.get(_TABLE, line)
    return {name: float(table[name]) for name in COLUMNS if name in table}


def _objects(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines() if path.suffix == ".jsonl" else [text]
        return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"the metrics {path} cannot be read: {error}") from error
