"""`prorank train report`: a model card, and pictures of how the training went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from prorank_search.checkpoint import Contract, read_contract
from prorank_search.errors import InputError
from prorank_search.storage.whole_files import write_whole
from prorank_training.data_folder import Statistics
from prorank_training.run_folder import RunFolder

_CARD = """# {name}

A reranker: it scores how well a text answers a query. Trained by ProRank's recipe `{recipe}` ({revision}) from the
base `{base}`; what lies here is a small difference to that base, under {license}.

    prorank search "a question" --index NAME --model {name}

{pieces}

The difference has the form `{difference}`. The score is the log-odds of relevance;
probability = sigmoid({a:.3f} * score {b:+.3f}), fitted on dev queries. Default blend with the
first stage, chosen on dev: {blend}.

## nDCG@10 on dev queries

BM25's first hits, rescored; the last line is the mean over the collections. Blend and calibration were fitted on these
queries, so the figures flatter both: judge the model by test splits.

{results}

## Trained on

{data}

## How it went

{pictures}
"""

_PICTURES = {
    "rewards.png": "Rewards of stage 1 by step",
    "loss.png": "Loss of stage 2 by step",
    "dev.png": "nDCG@10 of a sample of dev queries by step",
}
_STAGES = {
    ("warmup",): "Stage 1 alone",
    ("score",): "Stage 2 alone",
    ("warmup", "score"): "Stage 1, then stage 2",
}
_REWARDS = ("format_reward", "correctness_reward")
_SMOOTHED_OVER = 25


def write(folder: RunFolder, checkpoint: Path, statistics: Sequence[Statistics]) -> Path:
    """Write the model card and its pictures into the run's `report` folder, and return that.

    Raises:
        InputError: There is no checkpoint yet.
    """
    contract = read_contract(checkpoint)
    if contract is None:
        raise InputError(f"{checkpoint} holds no checkpoint: run `prorank train export` first")
    warmup, score = folder.metrics("warmup"), folder.metrics("score")
    pictures = {
        "rewards.png": ("reward", {name: _smoothed(warmup, name) for name in _REWARDS if warmup}),
        "loss.png": ("loss", {"loss": _smoothed(score, "loss")} if score else {}),
        "dev.png": ("nDCG@10", _dev_lines(score)),
    }
    report = folder.path / "report"
    report.mkdir(exist_ok=True)
    drawn = [name for name, (_, lines) in pictures.items() if lines]
    for name in drawn:
        _draw(report / name, *pictures[name])
    write_whole(report / "README.md", card(contract, statistics, drawn))
    return report


def card(contract: Contract, statistics: Sequence[Statistics], pictures: Sequence[str]) -> str:
    """Return a checkpoint's model card, in Markdown.

    Args:
        contract: The checkpoint's contract.
        statistics: What the run was trained on.
        pictures: Names of the pictures that lie beside the card.
    """
    training = contract.training
    return _CARD.format(
        name=contract.name,
        recipe=training["recipe_hash"],
        revision=training["git_revision"],
        base=contract.base,
        license=contract.license,
        pieces="\n\nFrom there: ".join(_pieces(training)),
        difference=training["difference"],
        a=contract.calibration.a if contract.calibration else 1.0,
        b=contract.calibration.b if contract.calibration else 0.0,
        blend=contract.blend,
        pictures="\n".join(f"![{_PICTURES[name]}]({name})" for name in pictures),
        results=_results(contract.results["dev"]["collections"]),
        data=_table(
            ["collection", "language", "groups", "hard negatives a group", "dropped: in another split"],
            [
                [row.collection, row.language, row.groups, row.hard_negatives, row.held_out]
                for row in statistics
                if row.groups
            ],
        ),
    )


def _pieces(training: Mapping[str, Any]) -> list[str]:
    """Tell of each training that the model went through, the first one first."""
    stages, teacher = _STAGES[tuple(training["stages"])], _teacher(training.get("teacher"))
    told = f"{stages}: {training['steps']:,} steps and {training['groups']:,} training groups in it{teacher}."
    before = training.get("before")
    return [*_pieces(before), told] if before else [told]


def _teacher(teacher: Mapping[str, Any] | None) -> str:
    if teacher is None:
        return ""
    languages: dict[str, list[str]] = defaultdict(list)
    for language, about in teacher["languages"].items():
        languages[about["rescorer"]].append(language)
    names = ", ".join(f"`{name}` ({', '.join(spoken)})" for name, spoken in languages.items())
    return f". Beside the judgments it learned from the scores of {names}"


def _results(collections: Mapping[str, Mapping[str, float]]) -> str:
    columns = ("bm25", "model", "blend")
    rows: list[list[object]] = [
        [name, f"{row['queries']:g}", *(f"{row[column]:.3f}" for column in columns)]
        for name, row in collections.items()
    ]
    means = [f"{fmean(row[column] for row in collections.values()):.3f}" for column in columns]
    return _table(["collection", "queries", "BM25", "model", "blend"], [*rows, ["mean", "", *means]])


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _smoothed(metrics: Sequence[Mapping[str, Any]], key: str) -> list[tuple[int, float]]:
    measured = [(line["step"], line[key]) for line in metrics if key in line]
    return [
        (step, fmean(value for _, value in measured[max(0, at + 1 - _SMOOTHED_OVER) : at + 1]))
        for at, (step, _) in enumerate(measured)
    ]


def _dev_lines(metrics: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    lines: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for line in metrics:
        for collection, row in line.get("dev", {}).items():
            lines[collection].append((line["step"], row["model"]))
    return lines


def _draw(file: Path, what: str, lines: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, points in lines.items():
        axes.plot([step for step, _ in points], [value for _, value in points], marker=".", label=name)
    axes.set_xlabel("step")
    axes.set_ylabel(what)
    axes.legend()
    figure.savefig(file, dpi=120)
