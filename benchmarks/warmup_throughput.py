"""Stage 1: pairs a second of the fast path and of TRL's GRPOTrainer, on one machine, with the same pairs and samples.

    python benchmarks/warmup_throughput.py --data RUN_FOLDER --steps 2 --samples 8

Both answer with one token, and update once a step. The fast path is worth its file from a ratio of 4. The first step of
either warms up and is not counted.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import torch

from prorank_search.settings import Settings
from prorank_training import one_token_warmup, stage1_warmup
from prorank_training.groups import read_groups
from prorank_training.recipe import Recipe, WarmupRecipe, read_recipe
from prorank_training.run_folder import RunFolder
from prorank_training.trainee import open_base, open_trainee

GROUPS = 200


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=Path("training/prorank_training/recipes/cpu.toml"))
    parser.add_argument("--data", type=Path, required=True, help="folder with groups.parquet")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--queries", type=int, default=2, help="a step, each with two documents")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    seconds = {path: _seconds(path, arguments) for path in ("one-token", "trl")}
    print(f"{arguments.samples} samples, {arguments.threads} threads, torch {torch.__version__}")
    print(f"{'path':10} {'s/step':>8} {'pairs/s':>8}")
    for path, taken in seconds.items():
        print(f"{path:10} {taken:8.2f} {2 * arguments.queries / taken:8.2f}")
    print(f"ratio {seconds['trl'] / seconds['one-token']:.1f}")


def _seconds(path: str, arguments: argparse.Namespace) -> float:
    recipe = _recipe(path, arguments)
    settings = Settings()
    trainee = open_trainee(recipe, settings)
    groups = read_groups(arguments.data / "groups.parquet")[:GROUPS]
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        if path == "trl":
            stage1_warmup.run(trainee, open_base(recipe, settings), groups, [], recipe, run, _silent)
        else:
            one_token_warmup.run(trainee, groups, [], recipe, run, _silent)
        steps: list[float] = [line["seconds"] for line in run.metrics(one_token_warmup.STAGE) if "seconds" in line]
    return median(steps[1:] or steps)


def _recipe(path: str, arguments: argparse.Namespace) -> Recipe:
    plan = WarmupRecipe.model_validate(
        {
            "path": path,
            "steps": arguments.steps,
            "queries_a_step": arguments.queries,
            "samples": arguments.samples,
            "completion_tokens": 1,
            "end_pairs": 0,
            "probe_every": arguments.steps + 1,
            "save_every_s": float("inf"),
        }
    )
    return read_recipe(arguments.recipe).model_copy(update={"warmup": plan})


def _silent(_done: int, _total: int, _metrics: Mapping[str, Any]) -> None:
    pass


if __name__ == "__main__":
    main()
