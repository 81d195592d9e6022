"""How a system orders hits, in a few words: for tables that a person reads."""

from __future__ import annotations

from prorank_search.evaluation.ordering import summed
from prorank_search.evaluation.suite_file import FIRST_STAGE, System
from prorank_search.types import Blend


def describe(system: System, own: Blend | None = None) -> str:
    """Say what a system does.

    Args:
        system: The system.
        own: The blend that its rescorer was tuned for, which counts where the system names none.

    Example:
        >>> describe(System(name="a", rescorers=["prorank"]), Blend("total", "zscore", 1.0, 2.0))
        'total of zscores: first_stage 1, prorank 2 (its own blend)'
        >>> describe(System(name="b", rescorers=["prorank", "bge"], weights={"bge": 0.5}))
        'total of zscores: prorank 1, bge 0.5, first_stage 1'
    """
    picks = f"{system.pick.rescorer} picks {system.pick.keep} of {system.pick.window_size}; " if system.pick else ""
    answers = " (only whether a score is above 0)" if system.hard_answers else ""
    return picks + _order(system, own) + answers


def _order(system: System, own: Blend | None) -> str:
    if not system.rescorers:
        return "the first stage's order"
    if system.fused:
        weights = {name: system.weights.get(name, 1.0) for name in [*summed(system), FIRST_STAGE]}
        return f"total of {_scores(system.normalize)}: {_weighted(weights)}"
    blend = system.blend or own or Blend()
    whose = " (its own blend)" if system.blend is None and own is not None else ""
    (name,) = system.rescorers
    if blend.score_mode == "replace":
        return f"{name} alone{whose}"
    weights = {FIRST_STAGE: blend.query_weight, name: blend.rescore_query_weight}
    what = "ranks" if blend.score_mode == "rrf" else _scores(blend.normalize)
    return f"{blend.score_mode} of {what}: {_weighted(weights)}{whose}"


def _scores(normalize: str) -> str:
    return {"none": "scores", "zscore": "zscores", "minmax": "minmax scores"}[normalize]


def _weighted(weights: dict[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
