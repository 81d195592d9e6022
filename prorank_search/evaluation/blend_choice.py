"""The blend that is best on dev: a grid over modes, normalisations and weights, all from scores that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from statistics import fmean

from prorank_search.errors import ConfigError
from prorank_search.evaluation.measures import NDCG, mean, measure
from prorank_search.evaluation.ordering import summed
from prorank_search.evaluation.suite import run_of_system
from prorank_search.evaluation.suite_candidates import Candidates
from prorank_search.evaluation.suite_file import DEV, FIRST_STAGE, Suite, System
from prorank_search.evaluation.suite_scores import AllTables
from prorank_search.types import Blend, Normalize

_WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Of a rescorer's score beside the first stage's."""

_OTHER_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Of every score beside the first rescorer's, in a sum of several."""

_EVERY: tuple[Normalize, ...] = ("none", "zscore", "minmax")
_BOUNDED: tuple[Normalize, ...] = ("zscore", "minmax")


@dataclass(frozen=True, slots=True)
class Tried:
    """One blend and what it is worth.

    Attributes:
        system: The system with that blend.
        ndcg: Mean over the collections of nDCG@10.
        by_collection: Each collection's.
        losses: Collections on which it is below the first stage, and by how much.
    """

    system: System
    ndcg: float
    by_collection: Mapping[str, float]
    losses: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "blend": asdict(self.system.blend) if self.system.blend else None,
            "normalize": None if self.system.blend else self.system.normalize,
            "weights": dict(self.system.weights),
            NDCG: self.ndcg,
            "collections": dict(self.by_collection),
            "losses": dict(self.losses),
        }


def check_dev(suite: Suite) -> None:
    """Refuse a suite that would have a blend chosen on anything but dev.

    Raises:
        ConfigError: A collection's judgments are another split's.
    """
    others = {collection.name: suite.split_of(collection) for collection in suite.collections}
    wrong = [f"{name} ({split})" for name, split in others.items() if split != DEV]
    if wrong:
        raise ConfigError(f"blends are chosen on the split {DEV!r} only, never on what is reported: {', '.join(wrong)}")


def variants(system: System) -> list[System]:
    """Return a system with every blend that is tried.

    One rescorer: its order alone, and every mode that makes another order. Several: sums with the first rescorer's
    weight at 1, since only the weights' ratios count.

    Raises:
        ConfigError: The system has no rescorer.
    """
    if not system.rescorers:
        raise ConfigError(f"system {system.name!r} is the first stage alone: there is nothing to blend")
    if system.fused:
        return [
            system.model_copy(update={"normalize": normalize, "weights": weights})
            for normalize, weights in product(_BOUNDED, _sums(system))
        ]
    return [system.model_copy(update={"blend": blend}) for blend in _blends()]


def choose_blend(
    suite: Suite, system: System, everything: Sequence[Candidates], tables: AllTables
) -> tuple[list[Tried], dict[str, float]]:
    """Try every variant of a system.

    Args:
        suite: The suite; its collections are dev splits.
        system: The system.
        everything: The candidates of the collections.
        tables: All scores.

    Returns:
        What was tried, the best first (of equals the simpler one), and the first stage's nDCG@10 by collection. Means
        are over the collections that do not stand apart.

    Raises:
        ConfigError: A collection's judgments are no dev split's, or the system has no rescorer.
    """
    check_dev(suite)
    counted = [candidates for candidates in everything if not candidates.collection.apart]
    before = {candidates.name: _ndcg(System(name=FIRST_STAGE), candidates, tables) for candidates in everything}
    tried = []
    for variant in variants(system):
        after = {candidates.name: _ndcg(variant, candidates, tables) for candidates in everything}
        losses = {name: value - before[name] for name, value in after.items() if value < before[name]}
        tried.append(Tried(variant, fmean(after[candidates.name] for candidates in counted), after, losses))
    return sorted(tried, key=lambda one: -one.ndcg), before


def _ndcg(system: System, candidates: Candidates, tables: AllTables) -> float:
    window = system.window_size or candidates.window_size
    run = run_of_system(system, candidates, window, tables[candidates.name])
    return mean(measure(candidates.qrels, run))[NDCG]


def _blends() -> Iterator[Blend]:
    yield Blend()
    yield from (Blend("total", normalize, 1.0, weight) for normalize in _EVERY for weight in _WEIGHTS)
    yield from (Blend("multiply", normalize) for normalize in ("none", "minmax"))
    yield from (Blend(mode, normalize) for mode in ("max", "min") for normalize in _BOUNDED)
    yield from (Blend("rrf", "none", 1.0, weight) for weight in _WEIGHTS)


def _sums(system: System) -> Iterator[dict[str, float]]:
    first, *others = [*summed(system), FIRST_STAGE]
    for weights in product(_OTHER_WEIGHTS, repeat=len(others)):
        yield {first: 1.0} | dict(zip(others, weights, strict=True))
