"""An evaluation as a form describes it: the suite that `prorank evaluate-suite` is given, and the job."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from prorank_search import beir, jobs
from prorank_search.errors import InputError
from prorank_search.evaluation.measures import EVERY
from prorank_search.evaluation.suite_file import Suite, SuiteCollection, SuiteRescorer, System
from prorank_search.judgments import QuerySet
from prorank_search.profiles import Profile
from prorank_search.settings import Settings
from prorank_ui.choices import Side, blend_name, blend_of, written_blend, written_side

KIND = "evaluate"
COLLECTIONS = "collections"
"""The folder under the home whose BEIR folders a form offers: no other folder can be named there."""

AUTOMATIC_WINDOW = 30
"""Hits rescored where neither form nor settings name a number."""

PLACE = "side"
"""What a system's side is called where a job keeps it."""

SUITE = "suite.json"
"""The file in a job's folder that says what is measured."""

_SMALLER_WINDOWS = (5, 10, 20, 30, 50, 100)
_TIMED_QUERIES = 3


@dataclass(frozen=True, slots=True)
class Source:
    """Queries with judgments.

    Attributes:
        name: Of the query set, or of the BEIR folder.
        index: The query set's; empty: any can be chosen.
        splits: The folder's; empty: it is a query set.
        queries: How many the query set has.
    """

    name: str
    index: str = ""
    splits: tuple[str, ...] = ()
    queries: int = 0


@dataclass(frozen=True, slots=True)
class EvaluationWish:
    """What a person wants to measure.

    Attributes:
        source: Queries with judgments.
        split: Which judgments of a folder.
        index: The index to search.
        sides: The systems, as on Compare.
        limit: Queries at most; None: all.
        smaller_windows: Measure smaller windows too, and take the time.
    """

    source: Source
    split: str
    index: str
    sides: Sequence[Side]
    limit: int | None = None
    smaller_windows: bool = True


def sources(query_sets: Sequence[QuerySet], home: Path) -> list[Source]:
    """List what can be measured with: the query sets, and the BEIR folders in the home's folder of them."""
    of_sets = [Source(one.name, index=one.index, queries=one.queries) for one in query_sets]
    folders = sorted(path.parent for path in (home / COLLECTIONS).glob("*/qrels"))
    return of_sets + [
        Source(folder.name, splits=splits) for folder in folders if (splits := tuple(beir.splits(folder)))
    ]


def resolved(side: Side, settings: Settings, profile: Profile) -> Side:
    """Return a side with everything named that it leaves to the settings, so that it means the same tomorrow."""
    if not side.rescorer:
        return Side()
    own_model = settings.model if side.rescorer == settings.rescorer else ""
    window = side.window or (AUTOMATIC_WINDOW if settings.window_size == "auto" else settings.window_size)
    blend = blend_of(side.blend) or profile.blend
    return Side(
        side.rescorer,
        model=side.model or own_model,
        window=str(window),
        blend="" if blend is None else written_blend(blend),
        instruction=side.instruction or profile.instruction or "",
    )


def system_name(side: Side) -> str:
    """Return what a system is called.

    Example:
        >>> system_name(Side("overlap", window="20", blend="rrf:none:1:1"))
        'overlap, 20 hits, reciprocal ranks'
    """
    if not side.rescorer:
        return side.name
    blend = blend_name(side.blend) if side.blend else ""
    window = f"{side.window} hits" if side.window else ""
    instruction = f"“{side.instruction}”" if side.instruction else ""
    return ", ".join(filter(None, [side.name, window, blend, instruction]))


def suite_of(wish: EvaluationWish, settings: Settings, profile: Profile) -> tuple[Suite, Mapping[str, Side]]:
    """Return the suite that measures what is wished, and its systems' sides by name.

    A name says of model and blend only what was chosen: what was left to the settings would make it long.

    Args:
        wish: What is wished.
        settings: What is in force for the index.
        profile: Its search profile.

    Raises:
        InputError: Two systems are the same.
    """
    sides: dict[str, Side] = {}
    rescorers: dict[str, SuiteRescorer] = {}
    systems = []
    for wished in wish.sides:
        side = resolved(wished, settings, profile)
        called = replace(side, model=wished.model, blend=wished.blend)
        name = system_name(called)
        if name in sides:
            raise InputError(f"two systems are the same: {name}; change one of them, or remove it")
        sides[name] = side
        if not side.rescorer:
            systems.append(System(name=name))
            continue
        stage = ", ".join(filter(None, [called.name, side.instruction]))
        rescorers[stage] = SuiteRescorer(
            rescorer=side.rescorer, model=side.model or settings.model or None, instruction=side.instruction or None
        )
        systems.append(System(name=name, rescorers=[stage], blend=blend_of(side.blend), window_size=int(side.window)))
    collection = SuiteCollection(
        folder=wish.source.name if wish.source.splits else None,
        query_set=None if wish.source.splits else wish.source.name,
        language="all",
        index=wish.index,
    )
    suite = Suite(
        name="evaluation",
        title=title_of(wish),
        split=wish.split,
        limit_queries=wish.limit,
        windows=list(_SMALLER_WINDOWS) if wish.smaller_windows else [],
        measures=list(EVERY),
        timed_queries=_TIMED_QUERIES if wish.smaller_windows else 0,
        rescorers=rescorers,
        collections=[collection],
        systems=systems,
    )
    return suite, sides


def title_of(wish: EvaluationWish) -> str:
    """Return what a list shows of a run.

    Example:
        >>> title_of(EvaluationWish(Source("shop", "goods"), "", "goods", [Side(), Side("overlap")]))
        'shop: BM25, overlap'
    """
    split = f" {wish.split}" if wish.source.splits else ""
    return f"{wish.source.name}{split}: {', '.join(dict.fromkeys(side.name for side in wish.sides))}"


def start(home: Path, wish: EvaluationWish, settings: Settings, profile: Profile) -> jobs.Job:
    """Start a run as a job, which keeps its results in its folder.

    Raises:
        InputError: Two systems are the same.
        ConfigError: The jobs' folder cannot be written to.
    """
    command = suite_command(settings, f"--collections={home / COLLECTIONS}")
    return _start(home, wish, suite_of(wish, settings, profile), command)


def start_on_service(home: Path, wish: EvaluationWish, settings: Settings) -> jobs.Job:
    """Start a run as a job whose searches a service does.

    Raises:
        InputError: Two systems are the same.
        ConfigError: The jobs' folder cannot be written to.
    """
    own = settings.model_copy(update={"model": ""})  # this machine's default is not the service's
    command = (sys.executable, "-m", "prorank_ui.clients.service_suite", "{folder}")
    return _start(home, wish, suite_of(wish, own, Profile()), command)


def suite_command(settings: Settings, *options: str) -> tuple[str, ...]:
    """Return the command of a job that measures the suite in its folder, and keeps the results there."""
    own = [f"--config={settings.config}"] if settings.config else []
    return jobs.prorank("evaluate-suite", f"{{folder}}/{SUITE}", "--out={folder}", *options, *own)


def start_suite(home: Path, kind: str, suite: Suite, command: Sequence[str], about: Mapping[str, object]) -> jobs.Job:
    """Start a job with a suite in its folder.

    Args:
        home: Where the jobs are.
        kind: Of the job.
        suite: What it measures; its title is the job's.
        command: Such as `suite_command`.
        about: What the job keeps for whoever looks for it.

    Raises:
        ConfigError: The jobs' folder cannot be written to.
    """
    files = {SUITE: suite.model_dump_json(exclude_defaults=True, indent=1)}
    return jobs.start(home / "jobs", kind, suite.title, command, about, files)


def _start(
    home: Path, wish: EvaluationWish, measured: tuple[Suite, Mapping[str, Side]], command: tuple[str, ...]
) -> jobs.Job:
    suite, sides = measured
    about = {
        "index": wish.index,
        "query_set": "" if wish.source.splits else wish.source.name,
        "sides": {name: written_side(PLACE, side) for name, side in sides.items()},
    }
    return start_suite(home, KIND, suite, command, about)


def progress(job: jobs.Job) -> tuple[float, str]:
    """Tell how far a running job is: the part that is done, and what it does."""
    try:
        told = json.loads((job.folder / "progress.json").read_text(encoding="utf-8"))
        done, total = int(told["done"]), int(told["total"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0, "searching"
    then = "; measuring" if done >= total else ""
    return min(1.0, done / max(1, total)), f"{told['doing']}: {done:,} of {total:,} texts scored{then}"
