"""A new model beside another on the judgments that it was not trained on: the suite, the job, what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from prorank_search import jobs
from prorank_search.errors import InputError
from prorank_search.evaluation.comparison import SIGNIFICANT, RunComparison, compare_runs
from prorank_search.evaluation.measures import NDCG
from prorank_search.evaluation.suite_file import Suite, SuiteCollection, SuiteRescorer, System
from prorank_search.evaluation.suite_output import read_results
from prorank_search.model_files import CONTRACT_FILE
from prorank_search.profiles import Profile
from prorank_search.settings import Settings
from prorank_search.types import Blend
from prorank_ui.choices import Side
from prorank_ui.drawing import plain_table
from prorank_ui.drawing.wording import count
from prorank_ui.evaluate import evaluating
from prorank_ui.evaluate.evaluation_tables import p_value, signed

KIND = "held-back"
MOST_QUERIES = 100
"""Held-back queries that are offered at first: a CPU scores 30 hits of each, for both models."""

_FIRST_STAGE, _BEFORE, _AFTER = "BM25", "before", "after"
_ORDERS = {"": "as it searches", " alone": "its scores alone"}
"""What comes behind a system's name, and what that order is."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Judged queries that a run was not trained on.

    Attributes:
        query_set: Where they come from.
        index: The index whose documents were judged.
        queries: Their file.
        qrels: The judgments' file.
    """

    query_set: str
    index: str
    queries: Path
    qrels: Path

    @property
    def size(self) -> int:
        """How many queries they are."""
        return len(self.queries.read_bytes().splitlines())


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models to be compared.

    Attributes:
        run: The job that the new one comes from.
        checkpoint: Folder of the new one.
        other: The model that it is compared with.
    """

    run: str
    checkpoint: Path
    other: str

    def about(self) -> dict[str, object]:
        """Return what a job keeps of them: another export into the same folder is another model.

        Raises:
            InputError: The checkpoint is gone.
        """
        try:
            contract = (self.checkpoint / CONTRACT_FILE).read_bytes()
        except OSError as error:
            raise InputError(f"{self.checkpoint} holds no checkpoint to be tested: {error.strerror}") from error
        return {"run": self.run, "other": self.other, "contract": hashlib.sha256(contract).hexdigest()}


@dataclass(frozen=True, slots=True)
class Row:
    """Both models in one way to order."""

    order: str
    before: float
    after: float
    comparison: RunComparison


@dataclass(frozen=True, slots=True)
class HeldBackOutcome:
    """What a test found, by nDCG@10.

    Attributes:
        queries: Over how many.
        first_stage: BM25's mean.
        rows: As they search, which is what a promotion changes; then by their scores alone.
    """

    queries: int
    first_stage: float
    rows: Sequence[Row]


def held_back(data: Path) -> list[HeldBack]:
    """Return what a run's data holds back of each query set; nothing where it comes from no judgments of here."""
    folder = data / "held-back"
    try:
        rows = json.loads((folder / "sets.json").read_text(encoding="utf-8"))
    except OSError:
        return []
    return [HeldBack(row["query_set"], row["index"], folder / row["queries"], folder / row["qrels"]) for row in rows]


def suite_of(of: HeldBack, pair: Pair, limit: int, settings: Settings, profile: Profile) -> Suite:
    """Return the suite that measures both models and BM25 on held-back queries.

    Args:
        of: The queries.
        pair: The models.
        limit: Queries at most, the same ones for every pair.
        settings: What is in force for the index.
        profile: Its search profile.
    """
    side = evaluating.resolved(Side("prorank"), settings, profile)
    models = {_BEFORE: pair.other, _AFTER: str(pair.checkpoint)}
    blends = dict(zip(_ORDERS, (profile.blend, Blend()), strict=True))
    systems = [
        System(name=f"{name}{order}", rescorers=[name], blend=blend, window_size=int(side.window))
        for order, blend in blends.items()
        for name in models
    ]
    return Suite(
        name=KIND,
        title=f"{of.query_set}: held-back judgments",
        limit_queries=limit,
        rescorers={
            name: SuiteRescorer(rescorer=side.rescorer, model=model, instruction=side.instruction or None)
            for name, model in models.items()
        },
        collections=[SuiteCollection(queries=str(of.queries), qrels=str(of.qrels), index=of.index, language="all")],
        systems=[System(name=_FIRST_STAGE), *systems],
    )


def start(home: Path, of: HeldBack, pair: Pair, limit: int, settings: Settings, profile: Profile) -> jobs.Job:
    """Start a test as a job, which keeps its results in its folder.

    Raises:
        InputError: The checkpoint is gone.
        ConfigError: The jobs' folder cannot be written to.
    """
    suite = suite_of(of, pair, limit, settings, profile)
    about = pair.about() | {"query_set": of.query_set}
    return evaluating.start_suite(home, KIND, suite, evaluating.suite_command(settings), about)


def of_pair(home: Path, pair: Pair, query_set: str) -> list[jobs.Job]:
    """Return the tests of two models on a query set, the newest first."""
    wanted = pair.about() | {"query_set": query_set}
    return [job for job in jobs.jobs(home / "jobs", KIND) if dict(job.about) == wanted]


def outcome(folder: Path) -> HeldBackOutcome:
    """Read what a test found.

    Raises:
        InputError: The folder holds no results of a test.
    """
    queries = read_results(folder).queries
    try:
        of = {
            name: {one.query_id: one.values[name][NDCG] for one in queries}
            for name in [_FIRST_STAGE, *(f"{name}{order}" for order in _ORDERS for name in (_BEFORE, _AFTER))]
        }
    except KeyError as error:
        raise InputError(f"{folder} holds no test of two models: {error} is missing") from error
    rows = [
        Row(order, fmean(before.values()), fmean(after.values()), compare_runs(before, after))
        for ending, order in _ORDERS.items()
        for before, after in [(of[f"{_BEFORE}{ending}"], of[f"{_AFTER}{ending}"])]
    ]
    return HeldBackOutcome(len(queries), fmean(of[_FIRST_STAGE].values()), rows)


def headline(found: HeldBackOutcome) -> str:
    """Say in one sentence whether the new model is better.

    Example:
        >>> before, after = ({str(at): 0.1 * at + step for at in range(9)} for step in (0.0, 0.1))
        >>> headline(HeldBackOutcome(9, 0.3, [Row("as it searches", 0.4, 0.5, compare_runs(before, after))]))
        'Better on 9 held-back queries: nDCG@10 0.400 → 0.500'
    """
    row = found.rows[0]
    on = f"on {count(found.queries, 'held-back query')}: nDCG@10 {row.before:.3f} → {row.after:.3f}"
    if row.comparison.p_value >= SIGNIFICANT:
        return f"No difference that chance does not explain {on}"
    return f"{'Better' if row.comparison.delta > 0 else 'Worse'} {on}"


def outcome_table(found: HeldBackOutcome, other: str) -> str:
    """Return the models beside each other, with the paired test."""
    headings = ["order", other, "new model", "difference", "95 % interval", "p", "better", "equal", "worse"]
    return plain_table.drawn("Test on held-back judgments", headings, [_cells(row) for row in found.rows], headings[1:])


def _cells(row: Row) -> list[str]:
    one = row.comparison
    low, high = one.ci95
    return [
        row.order,
        f"{row.before:.3f}",
        f"{row.after:.3f}",
        signed(one.delta),
        f"{signed(low)} to {signed(high)}",
        p_value(one.p_value),
        *(f"{number:,}" for number in (one.wins, one.ties, one.losses)),
    ]
