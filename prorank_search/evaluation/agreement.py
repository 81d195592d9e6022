"""How far judges agree: Krippendorff's alpha.

After K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): any number of judges, each of whom may have
judged only some of the documents.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from prorank_search.judgments import Judgment

Level = Literal["ordinal", "interval"]
"""What the difference of two grades counts: how many judgments lie between them, or how far apart they are."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """A document that judges grade differently.

    Attributes:
        query_id: The query.
        doc_id: The document.
        grades: Each judge's grade.
    """

    query_id: str
    doc_id: str
    grades: Mapping[str, int]

    @property
    def spread(self) -> int:
        """Distance of the highest grade from the lowest one."""
        return max(self.grades.values()) - min(self.grades.values())


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the judges of a query set agree.

    Attributes:
        alpha: Krippendorff's, ordinal; None where there is nothing to tell.
        judges: Who judged anything, by name, and how many documents.
        shared: Documents with two judges or more.
        disputed: Those of them with different grades, the widest apart first.
    """

    alpha: float | None
    judges: Mapping[str, int]
    shared: int
    disputed: Sequence[Disputed]


def agreement(judgments: Iterable[Judgment]) -> Agreement:
    """Compare what persons said of the same documents; skips and models' proposals do not count."""
    grades: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for one in judgments:
        if one.relevance is not None and one.origin == "person":
            grades[one.query_id, one.doc_id][one.judge] = one.relevance
    judges = Counter(judge for of_document in grades.values() for judge in of_document)
    shared = {key: of_document for key, of_document in grades.items() if len(of_document) > 1}
    told = [Disputed(*key, of_document) for key, of_document in shared.items() if len(set(of_document.values())) > 1]
    return Agreement(
        alpha=krippendorff_alpha([list(of_document.values()) for of_document in shared.values()]),
        judges=dict(sorted(judges.items())),
        shared=len(shared),
        disputed=sorted(told, key=lambda one: -one.spread),
    )


def krippendorff_alpha(units: Iterable[Sequence[int]], level: Level = "ordinal") -> float | None:
    """Return how far judges agree: 1 where they always do, 0 where they do as often as by chance, below 0 where less.

    Args:
        units: The grades that each document was given, one a judge; one with fewer than two does not count.
        level: What a difference counts.

    Returns:
        Alpha; None where there is nothing to tell: no document has two judges, or every grade is the same.

    Example:
        >>> krippendorff_alpha([[0, 0], [3, 3], [1, 1], [2, 2]])
        1.0
        >>> krippendorff_alpha([[0, 1], [1, 0]])
        -0.5
    """
    counted = [Counter(unit) for unit in units if len(unit) > 1]
    totals = sum(counted, Counter())
    distance = _distance(totals, level)
    observed = sum(
        of_unit[low] * of_unit[high] * distance(low, high) / (of_unit.total() - 1)
        for of_unit in counted
        for low, high in combinations(sorted(of_unit), 2)
    )
    expected = sum(totals[low] * totals[high] * distance(low, high) for low, high in combinations(sorted(totals), 2))
    return 1 - (totals.total() - 1) * observed / expected if expected else None


def _distance(totals: Mapping[int, int], level: Level) -> Callable[[int, int], float]:
    """Return what the difference of a lower and a higher grade counts."""
    if level == "interval":
        return lambda low, high: (high - low) ** 2
    below: dict[int, int] = {}
    seen = 0
    for grade in sorted(totals):
        below[grade] = seen
        seen += totals[grade]
    middle = {grade: below[grade] + totals[grade] / 2 for grade in totals}
    return lambda low, high: (middle[high] - middle[low]) ** 2
