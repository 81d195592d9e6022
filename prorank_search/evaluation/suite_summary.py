"""What a suite's results say together: means by language, corrected tests, harm, one system against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from statistics import fmean

from prorank_search.evaluation.comparison import SIGNIFICANT, RunComparison, compare_runs, holm
from prorank_search.evaluation.measures import MEASURES, NDCG, mean, of_measure
from prorank_search.evaluation.suite import Result, SuiteResult
from prorank_search.evaluation.suite_file import Suite

Key = tuple[str, str]
"""The names of a system and a collection."""

ALL = "all"
"""The mean over all collections that do not stand apart."""


def groups(result: SuiteResult) -> dict[str, list[str]]:
    """Return the names of the collections by language, and under `all`; those that stand apart are in none."""
    counted = [collection for collection in result.suite.collections if not collection.apart]
    languages: dict[str, list[str]] = {}
    for collection in counted:
        languages.setdefault(collection.language, []).append(collection.name)
    return {**languages, ALL: [collection.name for collection in counted]}


def means(result: SuiteResult, measure: str = NDCG) -> dict[str, dict[str, float]]:
    """Return each group's mean over its collections, by system; without collections there is no mean."""
    return {
        group: {
            system.name: fmean(
                mean(of_collection.values)[measure]
                for of_collection in result.of(system.name)
                if of_collection.collection.name in names
            )
            for system in result.suite.systems
        }
        for group, names in groups(result).items()
        if names
    }


def corrected(suite: Suite, p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Return Holm-corrected p-values.

    Each system is corrected over the collections that are counted; those that stand apart are a family of their own.
    """
    found: dict[Key, float] = {}
    for system, apart in product(suite.systems, (False, True)):
        names = [collection.name for collection in suite.collections if collection.apart == apart]
        family = {name: p_values[system.name, name] for name in names if (system.name, name) in p_values}
        found |= {(system.name, name): p_value for name, p_value in holm(family).items()}
    return found


def against_first_stage(result: SuiteResult) -> dict[Key, RunComparison]:
    """Return how every system compares with the first stage."""
    return {
        (one.system.name, one.collection.name): one.evaluation.comparison
        for one in result.results
        if one.evaluation.comparison is not None
    }


def does_harm(comparison: RunComparison | None) -> bool:
    """Tell whether a system is significantly worse than the first stage.

    By the uncorrected p-value: a guard had better cry too early than too late.
    """
    return comparison is not None and comparison.delta < 0 and comparison.p_value < SIGNIFICANT


def against_rival(result: SuiteResult) -> dict[Key, RunComparison]:
    """Return how every other system compares with the suite's rival; nothing where it has none."""
    if result.suite.rival is None:
        return {}
    rivals = {one.collection.name: of_measure(one.values) for one in result.of(result.suite.rival)}
    return {
        (one.system.name, one.collection.name): compare_runs(rivals[one.collection.name], of_measure(one.values))
        for one in result.results
        if one.system.name != result.suite.rival
    }


def to_json(result: SuiteResult) -> dict[str, object]:
    """Return plain values: what `prorank evaluate` prints for each collection and system, and what sums them up."""
    comparisons, rivals = against_first_stage(result), against_rival(result)
    p_holm = corrected(result.suite, {key: comparison.p_value for key, comparison in comparisons.items()})
    return {
        "suite": result.suite.name,
        "runs": [_run(one, p_holm, rivals) for one in result.results],
        "means": {measure: means(result, measure) for measure in dict.fromkeys([*MEASURES, *result.suite.measures])},
        "rescorers": [asdict(said) for said in result.scored_by],
    }


def _run(one: Result, p_holm: Mapping[Key, float], rivals: Mapping[Key, RunComparison]) -> dict[str, object]:
    key = (one.system.name, one.collection.name)
    rival = rivals.get(key)
    return {
        "collection": one.collection.name,
        "split": one.split,
        **one.evaluation.to_json(),
        "system": one.system.name,
        "language": one.collection.language,
        "apart": one.collection.apart,
        "p_holm": p_holm.get(key),
        "harm": does_harm(one.evaluation.comparison),
        "against_rival": rival.to_json() if rival else None,
        "sweep": [{"window_size": window, NDCG: value} for window, value in one.sweep.items()],
        "texts_a_query": dict(one.texts_a_query),
        "ms_a_query": one.ms_a_query,
    }
