"""Compare the forms that a trained model's difference to its base can be shipped in: what each takes and loses.

    python benchmarks/adapter_forms.py RECIPE --run RUN [--data DATA] [--queries 20] [--forms 4-bit low-rank-48 ...]

For each form: megabytes, the share of the difference's energy that it keeps, and nDCG@10 on dev queries of the model
alone and blended (sum of z-scores), as the mean over the collections, beside the trained weights themselves. "shift" is
how far a form moves a score, as a share of the scores' spread within a query: it tells forms apart where the queries
are too few for nDCG to do so. Scores are kept in the run's folder: a second call goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from prorank_search.difference import apply_difference
from prorank_search.settings import load_settings
from prorank_training import data_folder
from prorank_training.dev import results, sample
from prorank_training.difference_forms import make_difference, size_mb
from prorank_training.export import Exported, dev_scores
from prorank_training.progress import step_progress
from prorank_training.recipe import read_recipe
from prorank_training.run_folder import RunFolder
from prorank_training.stage2_score import STAGE
from prorank_training.trainee import by_transformers_names, open_base

FORMS = ("4-bit", "low-rank-48", "low-rank-96", "low-rank-128", "low-rank-192-4-bit", "low-rank-256-4-bit")
WHOLE = "trained weights"


def main() -> None:
    """Print one line a form."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    recipe, settings, run = read_recipe(arguments.recipe), load_settings(), RunFolder(arguments.run)
    _, dev = data_folder.load(recipe.data_digest(), arguments.data or arguments.run)
    queries = sample(dev, arguments.queries)
    base = open_base(recipe, settings)
    step, masters = run.trained_weights(STAGE)
    trained = by_transformers_names(masters, base.config)
    sys.stdout.write(f"step {step}, {len(queries)} dev queries\n")
    sys.stdout.write(f"{'form':20} {'MB':>6} {'energy':>7} {'shift':>6} {'model':>7} {'blend':>7}\n")
    reference: list[list[float]] = []
    for form in (WHOLE, *arguments.forms):
        difference = whole(base.weights, trained) if form == WHOLE else make_difference(base.weights, trained, form)
        kept = energy(base.weights, trained, difference)
        file = run.path / f"forms-{form.replace(' ', '-')}-step{step}-{arguments.queries}.scores.jsonl"
        with step_progress(form, every=50) as progress:
            scores = dev_scores(Exported(recipe, base, difference), queries, settings, file, progress)
        reference = reference or scores
        rows = results(queries, scores).values()
        model, blend = (fmean(row[column] for row in rows) for column in ("model", "blend"))
        moved = shift(reference, scores)
        sys.stdout.write(f"{form:20} {size_mb(difference):6.1f} {kept:7.1%} {moved:6.1%} {model:7.4f} {blend:7.4f}\n")
        sys.stdout.flush()


def whole(base: Mapping[str, Tensor], trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the difference itself, in fp32."""
    return {f"{name}.dense": weight - base[name].float() for name, weight in trained.items()}


def energy(base: Mapping[str, Tensor], trained: Mapping[str, Tensor], difference: Mapping[str, Tensor]) -> float:
    """Return the share of the difference's energy (sum of squares) that a form keeps."""
    weights = apply_difference(base, difference)
    lost = sum(float((weights[name] - weight).square().sum()) for name, weight in trained.items())
    return 1 - lost / sum(float((weight - base[name].float()).square().sum()) for name, weight in trained.items())


def shift(reference: Sequence[Sequence[float]], scores: Sequence[Sequence[float]]) -> float:
    """Return the root mean square of what moved within a query, over that of the reference's scores within a query."""
    wanted = torch.cat([_centred(own) for own in reference if own])
    moved = torch.cat([_centred(other) - _centred(own) for own, other in zip(reference, scores, strict=True) if own])
    return float(moved.square().mean().sqrt() / wanted.square().mean().sqrt())


def _centred(scores: Sequence[float]) -> Tensor:
    values = torch.tensor(scores)
    return values - values.mean()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--queries", type=int, default=20, help="dev queries a collection")
    parser.add_argument("--forms", nargs="*", default=FORMS)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


if __name__ == "__main__":
    main()
