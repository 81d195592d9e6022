"""A system's order of a ranking, out of scores that are there already: no model is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prorank_search.evaluation.fusion import fuse, pick
from prorank_search.evaluation.suite_file import FIRST_STAGE, System
from prorank_search.rescore import keep_order, reorder
from prorank_search.types import Blend, Hit, Query, Ranking, RescoredHit, RescorerInfo, Scored


@dataclass(slots=True)
class ScoreTable:
    """What one rescorer said of the candidates of one collection.

    Attributes:
        info: What it says of itself.
        revision: Of its scores.
        scores: (`query_id`, `doc_id`) to the answer.
        seconds: What the scoring took; what the score cache knew took none.
        seconds_a_text: Measured without the score cache; None: not measured.
    """

    info: RescorerInfo
    revision: str
    scores: dict[tuple[str, str], float] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_a_text: float | None = None

    def of(self, query: Query, hits: Sequence[Hit]) -> list[float]:
        """Return the scores of a query's hits, in their order."""
        return [self.scores[query.query_id, hit.document.doc_id] for hit in hits]

    def missing(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits that have no score yet."""
        return [hit for hit in hits if (query.query_id, hit.document.doc_id) not in self.scores]


Tables = Mapping[str, ScoreTable]
"""The scores of one collection by the name of the rescorer."""


def order(system: System, ranking: Ranking, window_size: int, tables: Tables) -> tuple[RescoredHit, ...]:
    """Return all hits of a ranking in a system's order.

    Args:
        system: How the scores become an order.
        ranking: The first stage's answer.
        window_size: First-stage hits that count as rescored; a system that picks has a window of its own.
        tables: Scores of all those hits.
    """
    ranking, window_size = narrowed(system, ranking, window_size, tables)
    hits = ranking.hits[:window_size]
    scores = {name: _answers(system, tables[name].of(ranking.query, hits)) for name in summed(system)}
    if not scores:
        return keep_order(ranking)
    if system.fused:
        scores[FIRST_STAGE] = [hit.score for hit in hits]
        fused = fuse(list(scores.values()), [system.weights.get(name, 1.0) for name in scores], system.normalize)
        return reorder(ranking.hits, [Scored(score) for score in fused], Blend(), None)
    (name,) = system.rescorers
    info = tables[name].info
    scored = [Scored(score) for score in scores[name]]
    return reorder(ranking.hits, scored, system.blend or info.blend or Blend(), info.calibration)


def narrowed(system: System, ranking: Ranking, window_size: int, tables: Tables) -> tuple[Ranking, int]:
    """Return the ranking that a system's own rescorers see, and how many hits of it they score."""
    if system.pick is None:
        return ranking, window_size
    window = ranking.hits[: system.pick.window_size]
    scores = tables[system.pick.rescorer].of(ranking.query, window)
    return pick(ranking, scores, system.pick.keep), system.pick.keep


def texts_a_query(system: System, window_size: int) -> dict[str, int]:
    """Return how many texts each rescorer of a system reads for a query with enough hits.

    Example:
        >>> from prorank_search.evaluation.suite_file import Pick
        >>> cascade = System(name="cascade", rescorers=["b"], pick=Pick(rescorer="a", window_size=50, keep=12))
        >>> texts_a_query(cascade, 30)
        {'a': 50, 'b': 12}
    """
    if system.pick is None:
        return dict.fromkeys(system.rescorers, window_size)
    others = [name for name in system.rescorers if name != system.pick.rescorer]
    return {system.pick.rescorer: system.pick.window_size} | dict.fromkeys(others, system.pick.keep)


def summed(system: System) -> list[str]:
    """Return the rescorers whose scores make the order: a picker's only where it was given a weight."""
    picker = [system.pick.rescorer] if system.pick and system.pick.rescorer in system.weights else []
    return list(dict.fromkeys([*system.rescorers, *picker]))


def _answers(system: System, scores: list[float]) -> list[float]:
    return [float(score > 0.0) for score in scores] if system.hard_answers else scores
